package check

import (
	"fmt"
	"slices"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// about are the messages of Istio's analyzers about a kind of object of a cluster.
func about(seen *snapshot.Cluster, kind string) []snapshot.AnalysisMessage {
	var messages []snapshot.AnalysisMessage
	for _, m := range seen.Analysis {
		if m.Kind == kind {
			messages = append(messages, m)
		}
	}
	return messages
}

// serviceInconsistent: a Service of one name is one Service to istiod, which takes one cluster's word for its ports.
func serviceInconsistent(v view) []Result {
	return v.remotes(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.InjectedNamespaces); r != nil {
			return r
		}
		messages := about(seen, "Service")
		if len(messages) > 0 {
			m := messages[0]
			fix := advice("make them alike")
			for _, one := range v.mesh.Clusters {
				if slices.Contains(m.Clusters, one.Name) {
					fix = fix.and(v.look(one, "-n", m.Namespace, "get", "service", m.Name, "-o", "yaml"))
				}
			}
			return warn(fix, "%s: %s%s", m.Code, m.Text, more(messages))
		}
		for _, other := range v.mesh.Clusters {
			if other.Name == c.Name {
				break // those that come after it are compared with it
			}
			if theirs := v.snapshot.Clusters[other.Name]; theirs != nil && blind(theirs, snapshot.InjectedNamespaces) == nil {
				return pass("Services of one name are alike where they are in several clusters")
			}
		}
		return skip("there are no Services of another cluster to compare with")
	})
}

// more counts the messages that are not shown.
func more(messages []snapshot.AnalysisMessage) string {
	if len(messages) == 1 {
		return ""
	}
	return fmt.Sprintf(" (and %d more like it)", len(messages)-1)
}

func registryUnknown(v view) []Result {
	return v.planeCheck(func(c mesh.Cluster, plane snapshot.ControlPlane) []Result {
		messages := about(v.snapshot.Clusters[c.Name], "MeshNetworks")
		if len(messages) == 0 {
			return pass("no network is given to a cluster that istiod does not know")
		}
		m := messages[0]
		text := m.Text
		if m.Code != "" {
			text = m.Code + ": " + text
		}
		return fail(advice("in meshNetworks, give fromRegistry the name of a cluster of the mesh; or take meshNetworks out").
			and(v.look(c, "-n", m.Namespace, "get", "configmap", m.Name, "-o", "yaml")),
			"ConfigMap %s in %s, key meshNetworks: %s%s", plane.ConfigMap, m.Namespace, text, more(messages))
	})
}
