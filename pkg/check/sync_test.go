package check

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// syncScenarios are faults of what istiod reads from a remote and writes into it.
func syncScenarios() []scenario {
	return []scenario{
		{
			name:   "one replica has not synced",
			change: func(w *world) { w.setSync("west", "synced", "timeout") },
			want:   []string{"fail sync-partial west"},
		},
		{
			name:   "one replica does not know it",
			change: func(w *world) { w.controlPlane().Replicas[0].Clusters = w.controlPlane().Replicas[0].Clusters[:2] },
			want:   []string{"fail sync-partial west"},
		},
		{
			name: "both wait for it",
			change: func(w *world) {
				w.setSync("west", "syncing", "timeout")
			},
			want: []string{"fail not-synced west"},
		},
		{
			name: "both have given it up",
			change: func(w *world) {
				w.setSync("west", "closed", "closed")
			},
			want: []string{"fail not-synced west"},
		},
		{
			name:   "one replica is silent",
			change: func(w *world) { w.controlPlane().Replicas[0] = snapshot.Replica{Pod: "istiod-a", Error: "refused"} },
			want:   []string{"unknown not-synced south", "unknown not-synced west"},
		},
		{
			name: "one replica is silent, and another has not synced",
			change: func(w *world) {
				w.controlPlane().Replicas[0] = snapshot.Replica{Pod: "istiod-a", Error: "refused"}
				w.setSync("west", "synced", "syncing")
			},
			want: []string{"unknown not-synced south", "fail not-synced west"},
		},
		{
			name:   "no replica runs",
			change: func(w *world) { w.controlPlane().Replicas, w.controlPlane().Ready = nil, 0 },
			want:   []string{"fail istiod-ready east"},
		},
		{
			name:   "no replica was asked",
			change: func(w *world) { w.controlPlane().Replicas = nil },
			want:   []string{"unknown not-synced south", "unknown not-synced west"},
		},
		{
			name:   "no certificate in a webhook",
			change: func(w *world) { w.west().Injectors[1].CABundles = []string{"", "root"} },
			want:   []string{"fail cabundle-empty west"},
		},
		{
			name:   "an injector without webhooks",
			change: func(w *world) { w.west().Injectors[0].CABundles = nil },
			want:   []string{"fail cabundle-empty west"},
		},
		{
			name:   "another root's certificate in a webhook",
			change: func(w *world) { w.west().Injectors[0].CABundles = []string{"other", "root"} },
			want:   []string{"fail cabundle-empty west"},
		},
		{
			name: "another mesh's certificates everywhere",
			change: func(w *world) {
				w.setCABundles("west", "other")
				w.west().RootCert, w.west().RootCerts = "other", map[string]string{"istio-system": "other", "shop": "other"}
			},
			want: []string{"fail cabundle-empty west"},
		},
		{
			name: "the primary tells no root",
			change: func(w *world) {
				w.east().RootCert, w.east().Injectors = "", nil
				w.east().Unreadable = []snapshot.Unreadable{{What: snapshot.RootCertificate, Reason: "configmaps are forbidden"}, {What: snapshot.Injectors, Reason: "webhooks are forbidden"}}
			},
			want: []string{"unknown primary-is-remote east", "unknown root-cm-missing east"},
		},
		{
			name:   "no root certificate",
			change: func(w *world) { w.west().RootCert = "" },
			want:   []string{"fail root-cm-missing west"},
		},
		{
			name:   "no root certificate in the primary",
			change: func(w *world) { w.east().RootCert = "" },
			want:   []string{"fail root-cm-missing east"},
		},
		{
			name:   "another root",
			change: func(w *world) { w.west().RootCert = "other" },
			want:   []string{"fail roots-differ west"},
		},
	}
}
