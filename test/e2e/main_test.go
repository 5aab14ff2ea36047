// Package e2e runs the plugin as its users do, on real clusters.
package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

// clusters are what a test asks for: cluster1, cluster2, … with a node each, and after them those without. No more than it
// needs, since idle clusters take processor time, too.
func clusters(t *testing.T, nodes, nodeless int) *labtest.Lab {
	t.Helper()
	return labtest.Use(t, labtest.Options{Clusters: nodes + nodeless, NodelessFrom: nodes + 1})
}

// configOf is how a client of a cluster is made, for what a test does beside the plugin.
func configOf(t *testing.T, lab *labtest.Lab, cluster string) *rest.Config {
	t.Helper()
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: lab.Kubeconfig}, &clientcmd.ConfigOverrides{CurrentContext: cluster}).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1 // no limit
	return config
}

// written are the kinds of objects that a command might write.
func written() []schema.GroupVersionResource {
	return []schema.GroupVersionResource{
		{Version: "v1", Resource: "namespaces"},
		{Version: "v1", Resource: "serviceaccounts"},
		{Version: "v1", Resource: "secrets"},
		{Version: "v1", Resource: "configmaps"},
		{Version: "v1", Resource: "services"},
		{Group: "apps", Version: "v1", Resource: "deployments"},
		{Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings"},
		{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"},
		{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingwebhookconfigurations"},
		{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingwebhookconfigurations"},
	}
}

// versions says of everything that a command might write who has written it, and when, so that a test sees whether it did.
// What controllers write by themselves, sooner or later, does not count.
func versions(t *testing.T, lab *labtest.Lab, clusters ...string) []string {
	t.Helper()
	var lines []string
	for _, cluster := range clusters {
		client, err := metadata.NewForConfig(configOf(t, lab, cluster))
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range written() {
			list, err := client.Resource(kind).List(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatalf("%s of %s: %v", kind.Resource, cluster, err)
			}
			for _, o := range list.Items {
				if by := writers(o); by != "" {
					lines = append(lines, fmt.Sprintf("%s %s %s/%s %s%s", cluster, kind.Resource, o.Namespace, o.Name, o.UID, by))
				}
			}
		}
	}
	return lines
}

// writers are those who have written an object, each with the time when it last did.
func writers(o metav1.PartialObjectMetadata) string {
	controllers := []string{"kube-apiserver", "kube-controller-manager", "pilot-discovery"}
	var writers strings.Builder
	for _, field := range o.ManagedFields {
		if field.Subresource == "" && !slices.Contains(controllers, field.Manager) {
			fmt.Fprintf(&writers, " %s %s", field.Manager, field.Time.UTC().Format(time.RFC3339))
		}
	}
	if writers.Len() > 0 && o.DeletionTimestamp != nil {
		writers.WriteString(" is being deleted")
	}
	return writers.String()
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
