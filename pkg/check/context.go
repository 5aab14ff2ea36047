package check

import (
	"slices"
	"strings"
	"unicode"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
)

// noContext stands in commands for the context of a cluster to which none leads.
func noContext(name string) string { return "CONTEXT-OF-" + name }

// hasContext is true for a cluster to which a context of the user leads.
func hasContext(c mesh.Cluster) bool { return c.Context != "" && c.Context != noContext(c.Name) }

// withContexts gives every cluster something to be called by in a command: an empty --context would be another
// cluster, the kubeconfig's current one.
func withContexts(m mesh.Mesh) mesh.Mesh {
	m.Clusters = slices.Clone(m.Clusters)
	for i := range m.Clusters {
		if c := &m.Clusters[i]; !hasContext(*c) && c.Name != "" {
			c.Context = noContext(c.Name)
		}
	}
	return m
}

// withLacking says of a fix which contexts the user must have to run it, beside those of the kubeconfig.
func (v view) withLacking(fix string) string {
	words := strings.FieldsFunc(fix, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.", r)
	})
	var lacking []string
	for _, c := range v.mesh.Clusters {
		if !hasContext(c) && slices.Contains(words, c.Context) {
			lacking = append(lacking, c.Name)
		}
	}
	switch len(lacking) {
	case 0:
		return fix
	case 1:
		return "with a context of " + lacking[0] + ", which your kubeconfig lacks: " + fix
	}
	return "with contexts of " + strings.Join(lacking, " and ") + ", which your kubeconfig lacks: " + fix
}
