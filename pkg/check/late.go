package check

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// annotationLate: istiod has read the remote, the annotation lets it lead, and yet it has written nothing there. It had
// been told of the cluster before it was annotated.
func annotationLate(v view) []Result {
	return v.remotes(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.Injectors); r != nil {
			return r
		}
		if leads(v.injectors(seen), seen) {
			return pass("istiod has written its certificates")
		}
		for _, part := range []string{snapshot.RootCertificate, snapshot.RootCertificates} {
			if r := blind(seen, part); r != nil {
				return r
			}
		}
		secret, _ := v.secretOf(c.Name)
		switch {
		case secret.Use != nil && len(secret.Use.Denied) > 0:
			return skip("needs reader-rbac") // it may not be allowed to write them
		case !v.synced(c.Name):
			return skip("needs not-synced")
		}
		return fail(v.attach(c),
			"namespace %s has the annotation and istiod has read the cluster, but has written no caBundle into the webhooks and no ConfigMap istio-ca-root-cert: it was told of the cluster before the annotation was there, and only then decides whether it leads",
			v.mesh.Namespace)
	})
}

// leads is true where istiod has left any trace of what it writes where it leads.
func leads(injectors []snapshot.Injector, seen *snapshot.Cluster) bool {
	for _, i := range injectors {
		for _, bundle := range i.CABundles {
			if bundle != "" {
				return true
			}
		}
	}
	return seen.RootCert != "" || len(seen.RootCerts) > 0
}
