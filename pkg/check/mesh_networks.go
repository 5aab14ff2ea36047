package check

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func registryUnknownCheck() Check {
	return Check{
		ID: "registry-unknown", Subject: OfControlPlane, Category: Network,
		Title:  "meshNetworks names clusters of the mesh",
		Verify: true,
		Needs:  []string{"no-istiod"},
		Why: `meshNetworks, in the mesh configuration, gives a network to a registry that is none of the mesh's clusters: a misspelt
			name, or a cluster that was detached (IST0126 of Istio's own analyzer), or it can't be read at all. The pods of the
			cluster that was meant have no network then, and are called directly from other networks.`,
		Fix: `Give fromRegistry the cluster's name, which is the key of its remote secret; or take meshNetworks out, since the label
			topology.istio.io/network of Istio's namespaces says the same.`,
		judge: registryUnknown,
	}
}

func registryUnknown(v view) []Result {
	return v.ofControlPlane(func(c mesh.Cluster, controlPlane snapshot.ControlPlane) []Result {
		messages := messagesAbout(v.snapshot.Clusters[c.Name], "MeshNetworks")
		if len(messages) == 0 {
			return pass("no network is given to a cluster that istiod does not know")
		}
		m := messages[0]
		text := m.Text
		if m.Code != "" {
			text = m.Code + ": " + text
		}
		return fail(advice("in meshNetworks, give fromRegistry the name of a cluster of the mesh; or take meshNetworks out").
			and(v.inspect(c, "-n", m.Namespace, "get", "configmap", m.Name, "-o", "yaml")),
			"ConfigMap %s in %s, key meshNetworks: %s%s", controlPlane.ConfigMap, m.Namespace, text, andMore(messages))
	})
}
