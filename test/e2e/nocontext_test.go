package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// A remote of which the user has no context is looked at with the primary's credentials for it.
func TestRemoteWithoutContext(t *testing.T) {
	lab := clusters(t, 1, 1)
	primary(t, lab)
	lab.MustMesh(t, "attach-remote", "cluster2", "--context", "cluster1")
	narrow := *lab
	narrow.Kubeconfig = filepath.Join(t.TempDir(), "config")
	alone := lab.Kubectl(t, "cluster1", "config", "view", "--raw", "--minify")
	if err := os.WriteFile(narrow.Kubeconfig, []byte(alone), 0o600); err != nil {
		t.Fatal(err)
	}

	// Istio's role for istiod grants neither Deployments, nor DaemonSets, nor the creation of pods.
	beyond := []string{"unknown own-control-plane", "unknown injection", "unknown mixed-ambient"}
	told, reachable := toldOf(t, &narrow, 3)
	if !slices.Equal(told, beyond) {
		t.Errorf("of a healthy mesh verify tells %q, not %q", told, beyond)
	}
	mustContain(t, reachable, "istio-remote-secret-cluster2")

	lab.Kubectl(t, "cluster2", "-n", "istio-system", "delete", "endpointslice", "istiod")
	told, _ = toldOf(t, &narrow, 1)
	// Injection needs it, so that nothing is unknown about that.
	if want := []string{"unknown own-control-plane", "fail slice-missing", "unknown mixed-ambient"}; !slices.Equal(told, want) {
		t.Errorf("without the EndpointSlice verify tells %q, not %q", told, want)
	}
}

// toldOf runs verify, and returns what it tells of cluster2 that neither passed nor was skipped, and how it reached it.
func toldOf(t *testing.T, lab *labtest.Lab, code int) (told []string, reachable string) {
	t.Helper()
	r := lab.Mesh(t, "verify", "--context", "cluster1", "-o", "json")
	if r.Code != code {
		t.Fatalf("verify: exit code %d, not %d\n%s%s", r.Code, code, r.Stdout, r.Stderr)
	}
	var verdict struct {
		Results []struct {
			ID, Cluster, Status, Seen string
			Fix                       check.Fix
		}
	}
	if err := json.Unmarshal([]byte(r.Stdout), &verdict); err != nil {
		t.Fatal(err)
	}
	for _, result := range verdict.Results {
		switch {
		case result.ID == "reachable" && result.Cluster == "cluster2":
			reachable = result.Status + ": " + result.Seen
		case result.Status != "pass" && result.Status != "skip" && result.Cluster == "cluster2":
			told = append(told, result.Status+" "+result.ID)
		case result.Status == "fail":
			t.Errorf("%s: %s fails: %s", result.Cluster, result.ID, result.Seen)
		}
		if result.Status == "unknown" && !strings.Contains(result.Seen, "forbidden") {
			t.Errorf("%s is unknown without the API server's reason: %s", result.ID, result.Seen)
		}
		fix := report.Fix(result.Fix, "")
		if strings.Contains(fix, "CONTEXT-OF-cluster2") && !strings.Contains(fix, "your kubeconfig has no context of cluster2\n") {
			t.Errorf("the fix of %s does not say that a context lacks: %s", result.ID, fix)
		}
	}
	return told, reachable
}
