package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Folders that the commands write, applied with kubectl in the documented order, make the same mesh.
func TestFolders(t *testing.T) {
	lab := clusters(t, 1, 3)
	dir := t.TempDir()
	write := func(more ...string) {
		t.Helper()
		before := versions(t, lab, "cluster1", "cluster3")
		r := lab.MustMesh(t, append(append(more, "--context", "cluster1", "--output-dir", dir), lab.Needs(more[0])...)...)
		mustBeUnwritten(t, before, versions(t, lab, "cluster1", "cluster3"))
		mustContain(t, r.Stdout, filepath.Join(dir, "cluster1")+"\n")
	}
	kustomize := func(cluster string, more ...string) {
		t.Helper()
		lab.Kubectl(t, cluster, append([]string{"apply", "-k", filepath.Join(dir, cluster)}, more...)...)
	}

	// With the plugin's field manager the primary counts as its own, else as another tool's, which it leaves alone.
	ours := []string{"--server-side", "--field-manager", "kubectl-mesh"}
	write("install-primary", "--network", "network1")
	kustomize("cluster1", ours...)
	lab.Kubectl(t, "cluster1", "-n", "istio-system", "rollout", "status", "deployment/istiod", "--timeout=5m")
	for _, validator := range []string{"istio-validator-istio-system", "istiod-default-validator"} {
		lab.Kubectl(t, "cluster1", "wait", "--for=jsonpath={.webhooks[0].failurePolicy}=Fail", "--timeout=5m", "validatingwebhookconfiguration/"+validator)
	}
	write("install-primary", "--network", "network1") // leaves to istiod what it has just taken over
	write("expose-istiod")
	kustomize("cluster1", ours...)
	lab.Kubectl(t, "cluster1", "-n", "istio-system", "rollout", "status", "deployment/istio-eastwestgateway", "--timeout=5m")

	write("attach-remote", "cluster3")
	kustomize("cluster3")
	lab.Kubectl(t, "cluster3", "-n", "istio-system", "wait", "--for=jsonpath={.data.token}", "--timeout=5m",
		"secret/istio-reader-service-account-istio-remote-secret-token")
	secret := filepath.Join(dir, "cluster1", "3-attach-cluster3.2-secret-istio-remote-secret-cluster3.yaml")
	if _, err := os.Stat(secret); err == nil {
		t.Errorf("%s is there, and nobody has asked for credentials", secret)
	}
	write("attach-remote", "cluster3", "--secrets", "plain")
	if info, err := os.Stat(secret); err != nil || info.Mode() != 0o600 {
		t.Errorf("the credentials are for more than their owner: %v, %v", info, err)
	}
	kustomize("cluster1", ours...)
	lab.Kubectl(t, "cluster3", "-n", "istio-system", "wait", "--for=create", "--timeout=5m", "configmap/istio-ca-root-cert")
	lab.Kubectl(t, "cluster3", "wait", "--for=jsonpath={.webhooks[0].clientConfig.caBundle}", "--timeout=5m", "mutatingwebhookconfiguration/istio-sidecar-injector")
	healthy(t, lab, "cluster3")

	// Applied by the server, it comes to rest; by force, since cluster3 was kubectl's own until now.
	ours = append(ours, "--force-conflicts")
	for _, cluster := range []string{"cluster1", "cluster3"} {
		kustomize(cluster, ours...)
		before := versions(t, lab, cluster)
		kustomize(cluster, ours...)
		mustBeUnwritten(t, before, versions(t, lab, cluster))
	}
	entries, err := filepath.Glob(filepath.Join(dir, "*", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := os.ReadFile(entry)
		if err != nil {
			t.Fatal(err)
		}
		if entry != secret && strings.Contains(string(text), "token:") {
			t.Errorf("%s has a token", entry)
		}
	}

	t.Run("as in docs/gitops.md", func(t *testing.T) {
		manifestsFit(t, lab, "cluster4")
		likeFlux(t, lab)
	})
}
