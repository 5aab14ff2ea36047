// Package access runs the plugin as users who may do little, and with kubeconfigs of every kind.
package access

import (
	"os"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

// clusters are those that all tests here share: cluster1 and cluster2 with a node, cluster3 without.
func clusters(t *testing.T) *labtest.Lab {
	t.Helper()
	return labtest.Use(t, labtest.Options{Clusters: 3, NodelessFrom: 3})
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
