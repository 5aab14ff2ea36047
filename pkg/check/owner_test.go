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
		all = append(all, scenario{
			name: "a remote", command: command,
			change: func(w *world) { attached(w) },
			want:   fails,
		})
	}
	all = append(all, scenario{
		name: "a remote", command: "preflight",
		change: func(w *world) { attached(w) },
		want:   append(fails, "warn load-balancer ctx-west"),
	})
	return append(all, []scenario{
		{
			name: "a remote, and no context of its primary", command: BeforeInstall,
			change: func(w *world) {
				attached(w)
				w.snapshot.Primaries = nil
			},
			want: fails,
		},
		{
			name: "the annotation alone", command: BeforeInstall,
			change: func(w *world) { bare(w).Namespace.ControlPlaneClusters = "east" },
			want:   fails,
		},
		{
			name: "anybody's remote", command: BeforeInstall,
			change: func(w *world) { bare(w).Namespace.ControlPlaneClusters = "*" },
			want:   fails,
		},
		{
			name: "the injection path alone", command: BeforeInstall,
			change: func(w *world) {
				bare(w).Injectors = []snapshot.Injector{{Name: "istio-sidecar-injector", Revision: "default", Paths: []string{"/inject/cluster/west/net/network1"}}}
			},
			want: fails,
		},
		{
			name: "an EndpointSlice alone", command: BeforeInstall,
			change: func(w *world) {
				bare(w).IstiodServices = []snapshot.IstiodService{{Name: "istiod", Addresses: []string{"192.0.2.10"}, Written: []string{"istiod"}}}
			},
			want: fails,
		},
		{
			name: "a hostname alone, of a revision", command: BeforeInstall,
			change: func(w *world) {
				bare(w).IstiodServices = []snapshot.IstiodService{{Name: "istiod-canary", ExternalName: "lb.example"}}
			},
			want: fails,
		},
		{
			name: "our record alone", command: BeforeInstall,
			change: func(w *world) { bare(w).Inventory = "kubectl-mesh-reader-shared" },
			want:   fails,
		},
		{
			name: "no sign", command: BeforeInstall,
			change: func(w *world) { bare(w) },
		},
		{
			name:   "a primary that lets itself lead",
			change: func(w *world) { w.east().Namespace.ControlPlaneClusters = "east" },
		},
		{
			name: "converted on purpose", command: BeforeInstall,
			change: func(w *world) {
				attached(w)
				w.mesh.Clusters[0].Converted = true
			},
		},
		{
			name: "a control plane was installed over it",
			change: func(w *world) {
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
			},
			want: fails,
		},
		{
			name: "a control plane was installed over a remote",
			change: func(w *world) {
				controlPlane := *w.controlPlane()
				controlPlane.ClusterID = "west"
				w.west().ControlPlanes = []snapshot.ControlPlane{controlPlane}
			},
			want: []string{"fail own-control-plane west"},
		},
		{
			name: "swapped, and attached", command: BeforeAttach,
			change: func(w *world) {
				east := w.east()
				attached(w)
				east.Context = "ctx-east"
				w.snapshot.Clusters["east"] = east
				w.mesh.Clusters = append(w.mesh.Clusters, mesh.Cluster{Name: "east", Context: "ctx-east", Role: mesh.Remote})
			},
			want: fails,
		},
		{
			name: "swapped, and not attached yet", command: BeforeAttach,
			change: func(w *world) {
				east := w.east()
				bare(w)
				w.snapshot.Clusters["east"] = east
				w.mesh.Clusters = append(w.mesh.Clusters, mesh.Cluster{Name: "east", Context: "ctx-east", Role: mesh.Remote})
			},
			want: []string{"fail no-istiod ctx-west"},
		},
		{
			name: "swapped, before there is a mesh", command: "preflight",
			change: func(w *world) {
				east := w.east()
				bare(w)
				w.snapshot.Clusters["east"] = east
				w.mesh.Clusters = append(w.mesh.Clusters, mesh.Cluster{Name: "east", Context: "ctx-east", Role: mesh.Remote})
			},
			want: []string{"fail own-control-plane east", "warn load-balancer ctx-west"},
		},
	}...)
}

// A remote is never taken for a primary, and no advice leads there.
func TestOwner(t *testing.T) {
	t.Parallel()
	play(t, "owner.txt", ownerScenarios())
}
