package check

import "github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"

// hasContext is true for a cluster to which a context of the user leads.
func hasContext(c mesh.Cluster) bool { return c.Context != "" }
