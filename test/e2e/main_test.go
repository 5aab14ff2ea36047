// Package e2e runs the plugin as its users do, on real clusters.
package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

// clusters are those that all tests here share: cluster1 and cluster2 with a node, cluster3 and cluster4 without.
func clusters(t *testing.T) *labtest.Lab {
	t.Helper()
	return labtest.Use(t, labtest.Options{Clusters: 4, NodelessFrom: 3})
}

// versions are the resourceVersions of everything that a command might write, so that a test sees whether it did.
func versions(t *testing.T, lab *labtest.Lab, clusters ...string) []string {
	t.Helper()
	const kinds = "namespaces,customresourcedefinitions,clusterroles,clusterrolebindings,mutatingwebhookconfigurations," +
		"validatingwebhookconfigurations,serviceaccounts,secrets,configmaps,services,deployments,endpointslices"
	var lines []string
	for _, cluster := range clusters {
		var list struct {
			Items []struct {
				Kind     string
				Metadata struct{ Namespace, Name, ResourceVersion string }
			}
		}
		out := lab.Kubectl(t, cluster, "get", kinds, "--all-namespaces", "-o", "json")
		if err := json.Unmarshal([]byte(out), &list); err != nil {
			t.Fatal(err)
		}
		for _, o := range list.Items {
			// istiod's own elections write these, whatever we do; the rest of the cluster has its own rhythm too.
			election := strings.HasSuffix(o.Metadata.Name, "-election") || strings.HasSuffix(o.Metadata.Name, "-leader") ||
				o.Metadata.Name == "istio-ip-autoallocate"
			// Kubernetes' own slices follow pods; ours is named after its Service.
			generated := o.Kind == "EndpointSlice" && !strings.HasPrefix(o.Metadata.Name+"/", "istiod/")
			if election || generated || o.Metadata.Namespace == "kube-system" {
				continue
			}
			lines = append(lines, fmt.Sprintf("%s %s %s/%s %s", cluster, o.Kind, o.Metadata.Namespace, o.Metadata.Name, o.Metadata.ResourceVersion))
		}
	}
	return lines
}

// mustBeUnwritten fails when anything has been written since before.
func mustBeUnwritten(t *testing.T, before, after []string) {
	t.Helper()
	for _, line := range after {
		if !slices.Contains(before, line) {
			t.Errorf("was written: %s", line)
		}
	}
	for _, line := range before {
		if !slices.Contains(after, line) {
			t.Errorf("is no longer there: %s", line)
		}
	}
}

// mustContain fails unless the text has every part.
func mustContain(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in:\n%s", part, text)
		}
	}
}

// primary installs and publishes the primary in cluster1.
func primary(t *testing.T, lab *labtest.Lab, more ...string) {
	t.Helper()
	lab.MustMesh(t, append([]string{"install-primary", "--context", "cluster1", "--network", "network1", "-f", lab.Overlay}, more...)...)
	lab.MustMesh(t, append([]string{"expose-istiod", "--context", "cluster1", "-f", lab.Overlay}, more...)...)
}

// healthy fails unless verify finds nothing wrong with the mesh of cluster1 and knows all the remotes.
func healthy(t *testing.T, lab *labtest.Lab, remotes ...string) {
	t.Helper()
	r := lab.Mesh(t, "verify", "--context", "cluster1")
	if r.Code != 0 {
		t.Fatalf("verify: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	for _, remote := range remotes {
		mustContain(t, r.Stdout, remote+": ")
	}
}
