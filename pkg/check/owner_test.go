package check

import (
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// ownerScenarios are remotes that are taken for primaries.
func ownerScenarios() []scenario {
	// attached makes west, a remote of east, the cluster of --context.
	attached := func(w *world) *snapshot.Cluster {
		west := w.west()
		w.mesh.Clusters = []mesh.Cluster{{Context: "ctx-west", Role: mesh.Primary}}
		west.Name, west.Inventory = "", "kubectl-mesh-reader-shared"
		w.snapshot.Clusters = map[string]*snapshot.Cluster{"": west}
		w.snapshot.Primaries = map[string]string{"east": "ctx-east"}
		w.snapshot.Traffic = nil
		return west
	}
	// bare leaves no sign but those that a scenario gives.
	bare := func(w *world) *snapshot.Cluster {
		west := attached(w)
		west.Namespace.ControlPlaneClusters, west.Injectors, west.IstiodServices, west.Inventory = "", nil, nil, ""
		return west
	}
	fails := []string{"fail primary-is-remote ctx-west"}
	var all []scenario
	for _, command := range []string{"", BeforeInstall, BeforeExpose} {
		all = append(all, scenario{"a remote", command, func(w *world) { attached(w) }, fails})
	}
	all = append(all, scenario{"a remote", "preflight", func(w *world) { attached(w) }, append(fails, "warn load-balancer ctx-west")})
	return append(all, []scenario{
		{"a remote, and no context of its primary", BeforeInstall, func(w *world) { attached(w); w.snapshot.Primaries = nil }, fails},
		{"the annotation alone", BeforeInstall, func(w *world) { bare(w).Namespace.ControlPlaneClusters = "east" }, fails},
		{"anybody's remote", BeforeInstall, func(w *world) { bare(w).Namespace.ControlPlaneClusters = "*" }, fails},
		{"the injection path alone", BeforeInstall, func(w *world) {
			bare(w).Injectors = []snapshot.Injector{{Name: "istio-sidecar-injector", Revision: "default", Paths: []string{"/inject/cluster/west/net/network1"}}}
		}, fails},
		{"an EndpointSlice alone", BeforeInstall, func(w *world) {
			bare(w).IstiodServices = []snapshot.IstiodService{{Name: "istiod", Addresses: []string{"192.0.2.10"}, Written: []string{"istiod"}}}
		}, fails},
		{"a hostname alone, of a revision", BeforeInstall, func(w *world) {
			bare(w).IstiodServices = []snapshot.IstiodService{{Name: "istiod-canary", ExternalName: "lb.example"}}
		}, fails},
		{"our record alone", BeforeInstall, func(w *world) { bare(w).Inventory = "kubectl-mesh-reader-shared" }, fails},
		{"no sign", BeforeInstall, func(w *world) { bare(w) }, nil},
		{"a primary that lets itself lead", "", func(w *world) { w.east().Namespace.ControlPlaneClusters = "east" }, nil},
		{"converted on purpose", BeforeInstall, func(w *world) {
			attached(w)
			w.mesh.Clusters[0].Converted = true
		}, nil},
		{"a control plane was installed over it", "", func(w *world) {
			controlPlane := *w.controlPlane()
			controlPlane.ClusterID = "ctx-west"
			west := bare(w)
			w.mesh.Clusters[0].Name, west.Name = "ctx-west", "ctx-west"
			w.snapshot.Clusters = map[string]*snapshot.Cluster{"ctx-west": west}
			west.ControlPlanes, west.Inventory = []snapshot.ControlPlane{controlPlane}, "kubectl-mesh-reader-shared"
			west.IstiodServices = []snapshot.IstiodService{{Name: "istiod", Selector: true, Addresses: []string{"10.3.0.4", "192.0.2.10"}, Written: []string{"istiod"}}}
			west.Gateways, west.Exposed = []snapshot.Gateway{{Name: "istio-eastwestgateway", Address: "192.0.2.9", ReadyEndpoints: 1}}, []string{"default"}
			west.Ports = []snapshot.Port{{Number: 15012, Trusted: true}, {Number: 15017, Trusted: true}}
			west.ControlPlanes[0].Replicas = nil
		}, fails},
		{"a control plane was installed over a remote", "", func(w *world) {
			controlPlane := *w.controlPlane()
			controlPlane.ClusterID = "west"
			w.west().ControlPlanes = []snapshot.ControlPlane{controlPlane}
		}, []string{"fail own-control-plane west"}},
		{"swapped, and attached", BeforeAttach, func(w *world) {
			east := w.east()
			attached(w)
			east.Context = "ctx-east"
			w.snapshot.Clusters["east"] = east
			w.mesh.Clusters = append(w.mesh.Clusters, mesh.Cluster{Name: "east", Context: "ctx-east", Role: mesh.Remote})
		}, fails},
		{"swapped, and not attached yet", BeforeAttach, func(w *world) {
			east := w.east()
			bare(w)
			w.snapshot.Clusters["east"] = east
			w.mesh.Clusters = append(w.mesh.Clusters, mesh.Cluster{Name: "east", Context: "ctx-east", Role: mesh.Remote})
		}, []string{"fail no-istiod ctx-west"}},
		{"swapped, before there is a mesh", "preflight", func(w *world) {
			east := w.east()
			bare(w)
			w.snapshot.Clusters["east"] = east
			w.mesh.Clusters = append(w.mesh.Clusters, mesh.Cluster{Name: "east", Context: "ctx-east", Role: mesh.Remote})
		}, []string{"fail own-control-plane east", "warn load-balancer ctx-west"}},
	}...)
}

// A remote is never taken for a primary, and no advice leads there.
func TestOwner(t *testing.T) {
	t.Parallel()
	play(t, "owner.txt", ownerScenarios())
}
