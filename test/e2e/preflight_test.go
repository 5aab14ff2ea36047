package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// overlappingNode is a node whose pods would have the addresses of cluster1's.
const overlappingNode = `apiVersion: v1
kind: Node
metadata: {name: stray}
spec: {podCIDR: RANGE, podCIDRs: [RANGE]}
`

// What stands in the way is named before anything is written, and nothing is.
func TestPreflight(t *testing.T) {
	lab := clusters(t)
	all := []string{"cluster1", "cluster2", "cluster3", "cluster4"}
	preflight := []string{"preflight", "cluster2", "cluster3", "cluster4", "--context", "cluster1"}
	r := lab.Mesh(t, preflight...)
	if r.Code != 0 {
		t.Fatalf("preflight of bare clusters: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	mustContain(t, r.Stdout, "load-balancer", "MetalLB", "cluster4: ")

	lab.Kubectl(t, "cluster2", "create", "namespace", "shop")
	lab.Kubectl(t, "cluster2", "label", "namespace", "shop", "istio-injection=enabled", "pod-security.kubernetes.io/enforce=baseline")
	lab.Kubectl(t, "cluster3", "create", "namespace", "istio-system")
	lab.Kubectl(t, "cluster3", "annotate", "namespace", "istio-system", "topology.istio.io/controlPlaneClusters=elsewhere")
	cidr := lab.Kubectl(t, "cluster1", "get", "nodes", "-o", "jsonpath={.items[0].spec.podCIDR}")
	node := filepath.Join(t.TempDir(), "node.yaml")
	if err := os.WriteFile(node, []byte(strings.ReplaceAll(overlappingNode, "RANGE", cidr)), 0o600); err != nil {
		t.Fatal(err)
	}
	lab.Kubectl(t, "cluster4", "apply", "-f", node)

	before := versions(t, lab, all...)
	failures(t, lab, append(preflight, "-o", "json"),
		"cluster2 pod-security", "cluster3 other-primary", "cluster4 network-overlap")
	mustBeUnwritten(t, before, versions(t, lab, all...))
}

// failures fails unless a command that judges names exactly these, as `cluster id`, as failed.
func failures(t *testing.T, lab *labtest.Lab, args []string, want ...string) {
	t.Helper()
	r := lab.Mesh(t, args...)
	var verdict struct {
		Results []struct{ ID, Cluster, Status string }
	}
	if err := json.Unmarshal([]byte(r.Stdout), &verdict); err != nil {
		t.Fatalf("%v: %s%s", err, r.Stdout, r.Stderr)
	}
	var got []string
	for _, result := range verdict.Results {
		if result.Status == "fail" {
			got = append(got, result.Cluster+" "+result.ID)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) || r.Code != 1 {
		t.Errorf("exit code %d, failed are %q, want %q", r.Code, got, want)
	}
}
