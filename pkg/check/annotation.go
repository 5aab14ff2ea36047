package check

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func annotationMissingCheck() Check {
	return Check{
		ID: "annotation-missing", Subject: OfLink, Category: ControlPlane,
		Title:          "the remote lets the primary lead",
		Verify:         true,
		Needs:          []string{"reachable"},
		NeedsOfPrimary: []string{"name-default"},
		Why: `Istio's namespace in the remote must name its primary in the annotation topology.istio.io/controlPlaneClusters. istiod
			decides by it, once, when the cluster is added, whether it leads there. Without it no webhook is patched and no root
			certificate written; set later, it changes nothing until the cluster is added again (#43320).`,
		Fix:   `Attach the cluster again, which sets the annotation and adds the cluster again.`,
		judge: annotationMissing,
	}
}

func annotationMissing(v view) []Result {
	return v.eachRemote(v.orSecretMissing(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.IstioNamespace); r != nil {
			return r
		}
		if v.home.Name == "" {
			return needs("no-istiod") // only istiod knows the primary's name
		}
		has := ""
		if seen.Namespace != nil {
			has = seen.Namespace.ControlPlaneClusters
		}
		if facts.MayLead(seen, v.home.Name) {
			return pass("topology.istio.io/controlPlaneClusters=%s", has)
		}
		if has != "" { // attach-remote would not take a cluster from another primary
			return fail(v.kubectl(c, "annotate", "namespace", v.mesh.Namespace, wellknown.ControlPlaneClustersAnnotation+"-").and(v.attach(c)),
				"namespace %s says that this cluster belongs to primary %q, not %q (topology.istio.io/controlPlaneClusters); unless it was moved there on purpose, istiod is to lead here",
				v.mesh.Namespace, has, v.home.Name)
		}
		return fail(v.attach(c),
			"namespace %s has no annotation topology.istio.io/controlPlaneClusters, expected %q: istiod does not lead here and patches no webhook",
			v.mesh.Namespace, v.home.Name)
	}))
}

func annotationLateCheck() Check {
	return Check{
		ID: "annotation-late", Subject: OfLink, Category: ControlPlane,
		Title:          "istiod leads in the remote",
		Verify:         true,
		Needs:          []string{"revision-mismatch", "annotation-missing", "not-synced"},
		NeedsOfPrimary: []string{"external-off"},
		Why: `The remote's namespace has the annotation and istiod has read the cluster, but it does not lead there: no webhook has
			its certificate, and no namespace its root. istiod decides once, when it is told of a cluster; this one was annotated
			after its secret was there (#43320). It stays so until the cluster is added again.`,
		Fix:   `Attach the cluster again, which takes the credentials away and gives them again, so that istiod decides again.`,
		judge: annotationLate,
	}
}

// annotationLate: istiod has read the remote, the annotation lets it lead, and yet it has written nothing there. It had
// been told of the cluster before it was annotated.
func annotationLate(v view) []Result {
	return v.eachRemote(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.Injectors); r != nil {
			return r
		}
		if facts.HasWritten(seen, v.mesh.RevisionLabel()) {
			return pass("istiod has written its certificates")
		}
		for _, part := range []string{snapshot.RootCertificate, snapshot.RootCertificates} {
			if r := unreadable(seen, part); r != nil {
				return r
			}
		}
		secret, _ := v.secretOf(c.Name)
		switch {
		case secret.Use != nil && len(secret.Use.Denied) > 0:
			return needs("reader-rbac") // it may not be allowed to write them
		case !v.synced(c):
			return needs("not-synced")
		}
		return fail(v.attach(c),
			"namespace %s has the annotation and istiod has read the cluster, but has written no caBundle into the webhooks and no ConfigMap istio-ca-root-cert: it was told of the cluster before the annotation was there, and only then decides whether it leads",
			v.mesh.Namespace)
	})
}
