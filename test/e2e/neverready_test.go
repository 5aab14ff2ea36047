package e2e

import (
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// A wait ends early, with the cause and what to do, where nothing will come of waiting: long before --timeout, and the same
// command finishes the work once the cause is gone.
func TestPodsThatNeverBecomeReady(t *testing.T) {
	lab := labtest.Use(t, labtest.Options{Clusters: 1})
	install := []string{"install-primary", "--context", "cluster1", "--network", "network1", "-f", lab.Overlay, "--timeout", "10m",
		"--set", "meshConfig.discoverySelectors[0].matchLabels.mesh=joined"}
	expose := []string{"expose-istiod", "--context", "cluster1", "-f", lab.Overlay, "--timeout", "10m"}
	kubectl := func(args ...string) {
		t.Helper()
		lab.Kubectl(t, "cluster1", append([]string{"-n", "istio-system"}, args...)...)
	}
	refused := func(t *testing.T, args []string, says ...string) {
		t.Helper()
		r := lab.Mesh(t, args...)
		if r.Code != 1 {
			t.Fatalf("exit code %d, not 1\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
		if strings.Contains(r.Stderr, "--timeout 10m0s has passed") {
			t.Errorf("it has waited until --timeout:\n%s", r.Stderr)
		}
		mustContain(t, r.Stderr, says...)
	}

	t.Run("a quota without room", func(t *testing.T) {
		lab.Kubectl(t, "cluster1", "create", "namespace", "istio-system")
		kubectl("create", "quota", "none", "--hard=pods=0")
		refused(t, install, "the pods of Deployment istiod in istio-system can't become ready: its pods are refused: ", "exceeded quota: none",
			"kubectl --context cluster1 -n istio-system rollout restart deployment istiod")
		kubectl("delete", "quota", "none")
		kubectl("rollout", "restart", "deployment", "istiod")
		lab.MustMesh(t, install...)
	})
	t.Run("an image that is not there", func(t *testing.T) {
		refused(t, append(install, "--tag", "0.0.0-none"), "ImagePull", "not found", "kubectl --context cluster1 -n istio-system describe pod istiod-")
		lab.MustMesh(t, append(install, "--reset-settings")...)
	})
	t.Run("an istiod that ends at its start", func(t *testing.T) {
		kubectl("create", "secret", "generic", "cacerts", "--from-literal=ca-cert.pem=none", "--from-literal=ca-key.pem=none",
			"--from-literal=root-cert.pem=none", "--from-literal=cert-chain.pem=none")
		kubectl("rollout", "restart", "deployment", "istiod")
		refused(t, install, "container discovery has ended", "the last line of its log: ", "--previous")
		kubectl("delete", "secret", "cacerts")
		kubectl("rollout", "restart", "deployment", "istiod")
		lab.MustMesh(t, install...)
	})
	t.Run("a namespace at which istiod does not look", func(t *testing.T) {
		refused(t, expose, "istiod never writes ConfigMap istio-ca-root-cert into namespace istio-system, which none of the mesh's discoverySelectors selects",
			"kubectl --context cluster1 -n istio-system label --overwrite namespace istio-system mesh=joined")
		r := lab.Mesh(t, "verify", "--context", "cluster1", "--only", "root-cm-missing")
		mustContain(t, r.Stdout, "none of the mesh's discoverySelectors selects", "kubectl --context cluster1 label --overwrite namespace istio-system mesh=joined")
		kubectl("label", "--overwrite", "namespace", "istio-system", "mesh=joined")
		lab.MustMesh(t, expose...)
	})
	t.Run("a gateway without pods", func(t *testing.T) {
		kubectl("delete", "hpa", "--all") // it would scale the gateway up again
		kubectl("scale", "deployment", "istio-eastwestgateway", "--replicas=0")
		const fix = "kubectl --context cluster1 -n istio-system scale deployment istio-eastwestgateway --replicas=1"
		refused(t, expose, "the pods of Deployment istio-eastwestgateway in istio-system can't become ready: it is scaled to 0 pods", fix)
		kubectl("scale", "deployment", "istio-eastwestgateway", "--replicas=1")
		lab.MustMesh(t, expose...)
	})
}
