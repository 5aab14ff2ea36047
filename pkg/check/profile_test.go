package check

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// profileScenarios are faults of what attach-remote writes into a remote.
func profileScenarios() []scenario {
	revisioned := func(w *world) {
		w.mesh.Revision, w.controlPlane().Revision, w.controlPlane().Name, w.east().Exposed = "canary", "canary", "istiod-canary", []string{"canary"}
	}
	return []scenario{
		{
			name: "no annotation",
			change: func(w *world) {
				w.west().Namespace.ControlPlaneClusters, w.west().RootCert = "", ""
				w.setCABundles("west", "")
			},
			want: []string{"fail annotation-missing west"},
		},
		{
			name: "annotated too late",
			change: func(w *world) {
				w.west().RootCert, w.west().RootCerts = "", nil
				w.setCABundles("west", "")
			},
			want: []string{"fail annotation-late west"},
		},
		{
			name: "nothing is written, since istiod may not",
			change: func(w *world) {
				w.west().RootCert, w.west().RootCerts = "", nil
				w.setCABundles("west", "")
				w.secret().Use.Denied = []snapshot.Permission{{Verb: "create", Resource: "configmaps"}}
			},
			want: []string{"fail reader-rbac west"},
		},
		{
			name: "nothing is written, since istiod manages no remotes",
			change: func(w *world) {
				for _, name := range []string{"south", "west"} {
					seen := w.snapshot.Clusters[name]
					seen.RootCert, seen.RootCerts = "", nil
					seen.Injectors[0].CABundles, seen.Injectors[1].CABundles = []string{""}, []string{""}
				}
				w.controlPlane().ExternalIstiod = false
			},
			want: []string{"fail external-off east"},
		},
		{
			name: "no webhook has a certificate, but istiod leads",
			change: func(w *world) {
				w.setCABundles("west", "")
			},
			want: []string{"fail cabundle-empty west"},
		},
		{
			name:   "no namespace",
			change: func(w *world) { w.west().Namespace = nil },
			want:   []string{"fail annotation-missing west"},
		},
		{
			name:   "another primary's annotation",
			change: func(w *world) { w.west().Namespace.ControlPlaneClusters = "eastern" },
			want:   []string{"fail annotation-missing west"},
		},
		{
			name:   "no label",
			change: func(w *world) { w.west().Namespace.Network = "" },
			want:   []string{"fail network-label west"},
		},
		{
			name: "another network than its pods",
			change: func(w *world) {
				w.west().Namespace.Network, w.cluster("west").Network = "network9", "network9" // as Complete finds it
			},
			want: []string{"fail network-label west"},
		},
		{
			name:   "no injector",
			change: func(w *world) { w.west().Injectors = nil },
			want:   []string{"fail revision-mismatch west"},
		},
		{
			name:   "an injector of another revision",
			change: func(w *world) { w.west().Injectors[0].Revision, w.west().Injectors[1].Revision = "canary", "old" },
			want:   []string{"fail revision-mismatch west"},
		},
		{
			name: "a primary of another revision",
			change: func(w *world) {
				revisioned(w)
				for _, name := range []string{"east", "south", "west"} {
					for i := range w.snapshot.Clusters[name].Injectors {
						w.snapshot.Clusters[name].Injectors[i].Revision = "canary"
					}
				}
				w.snapshot.Clusters["south"].IstiodServices[0].Name = "istiod-canary"
			},
			want: []string{"fail slice-missing west"},
		},
		{
			name: "the injector names another cluster",
			change: func(w *world) {
				w.west().Injectors[1].Paths = append(w.west().Injectors[1].Paths, "/inject/cluster/occident/net/network1")
			},
			want: []string{"fail name-mismatch west"},
		},
		{
			name:   "the injector names no cluster",
			change: func(w *world) { w.west().Injectors[0].Paths = []string{"/inject"} },
			want:   []string{"fail name-mismatch west"},
		},

		{
			name:   "no Service",
			change: func(w *world) { w.west().IstiodServices = nil },
			want:   []string{"fail slice-missing west"},
		},
		{
			name: "no Service, and no address for one",
			change: func(w *world) {
				w.west().IstiodServices, w.west().Installed["default"] = nil, snapshot.Installed{MeshID: "mesh1"}
			},
			want: []string{"fail address-empty west"},
		},
		{
			name:   "no address, but a Service",
			change: func(w *world) { w.west().Installed["default"] = snapshot.Installed{MeshID: "mesh1"} },
		},
		{
			name: "its values can't be read",
			change: func(w *world) {
				w.west().Installed = nil
				w.west().Unreadable = couldNotRead(snapshot.InstalledValues, "forbidden")
			},
			want: []string{"unknown mesh-id west"},
		},
		{
			name: "no Service, and its values can't be read",
			change: func(w *world) {
				w.west().Installed, w.west().IstiodServices = nil, nil
				w.west().Unreadable = couldNotRead(snapshot.InstalledValues, "forbidden")
			},
			want: []string{"unknown address-empty west", "fail slice-missing west"},
		},
		{
			name:   "no EndpointSlice",
			change: func(w *world) { w.west().IstiodServices[0].Addresses = nil },
			want:   []string{"fail slice-missing west"},
		},
		{
			name:   "the gateway has moved",
			change: func(w *world) { w.gateway().Address = "192.0.2.99" },
			want:   []string{"fail slice-missing south", "fail slice-missing west"},
		},
		{
			name: "another hostname",
			change: func(w *world) {
				w.west().IstiodServices = []snapshot.IstiodService{{Name: "istiod", ExternalName: "old.example"}}
			},
			want: []string{"fail slice-missing west"},
		},
	}
}
