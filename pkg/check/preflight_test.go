package check

import (
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func preflightScenarios() []scenario {
	// bare is a mesh of which nothing is there yet.
	bare := func(change func(w *world)) func(w *world) {
		return func(w *world) {
			for i := range w.mesh.Clusters {
				c := &w.mesh.Clusters[i]
				was := w.snapshot.Clusters[c.Name]
				w.snapshot.Clusters[c.Name] = &snapshot.Cluster{
					Name: was.Name, Context: was.Context, Server: was.Server, UID: was.UID, CA: was.CA,
					KubernetesVersion: was.KubernetesVersion, PodRanges: was.PodRanges, ReadyNodes: 1,
					Obstacles: snapshot.Obstacles{LoadBalancers: snapshot.LoadBalancers{Served: 1}},
					Evidence:  snapshot.Evidence{Clock: &snapshot.Clock{}},
				}
			}
			change(w)
		}
	}
	scenarios := []scenario{
		{
			name:   "two bare clusters",
			change: func(*world) {},
		},
		{
			name:   "no load balancer",
			change: func(w *world) { w.east().LoadBalancers = snapshot.LoadBalancers{} },
			want:   []string{"warn load-balancer east"},
		},
		{
			name:   "a load balancer that gives nothing",
			change: func(w *world) { w.east().LoadBalancers = snapshot.LoadBalancers{Pending: 2} },
			want:   []string{"fail load-balancer east"},
		},
		{
			name:   "a cloud",
			change: func(w *world) { w.east().LoadBalancers, w.east().Cloud = snapshot.LoadBalancers{}, true },
		},
		{
			name:   "a remote needs none",
			change: func(w *world) { w.west().LoadBalancers = snapshot.LoadBalancers{} },
		},
		{
			name:   "pod security in general",
			change: func(w *world) { w.west().PodSecurity = "violates PodSecurity \"baseline:latest\"" },
			want:   []string{"fail pod-security west"},
		},
		{
			name:   "pod security of a namespace",
			change: func(w *world) { w.west().Restricted = []string{"shop (restricted)"} },
			want:   []string{"fail pod-security west"},
		},
		{
			name:   "too old",
			change: func(w *world) { w.west().KubernetesVersion = "v1.29.14" },
			want:   []string{"fail kubernetes-version west"},
		},
		{
			name: "no permission",
			change: func(w *world) {
				w.west().Denied = []snapshot.Permission{
					{Verb: "create", Resource: "namespaces"}, {Verb: "patch", Resource: "namespaces"}, {Verb: "create", Resource: "secrets", Namespace: "istio-system"},
				}
			},
			want: []string{"fail permission west"},
		},
		{
			name: "no permission for the dry run of a pod",
			change: func(w *world) {
				w.west().Denied = []snapshot.Permission{{Verb: "create", Resource: "pods", Namespace: "default"}}
				w.west().Unreadable = couldNotRead(snapshot.PodSecurityPart, "pods is forbidden")
			},
			want: []string{"fail permission west"},
		},
		{
			name: "a dry run that fails otherwise",
			change: func(w *world) {
				w.west().Unreadable = couldNotRead(snapshot.PodSecurityPart, "the server is overloaded")
			},
			want: []string{"unknown pod-security west"},
		},
		{
			name: "pod security of a namespace, and no dry run",
			change: func(w *world) {
				w.west().Restricted = []string{"shop (restricted)"}
				w.west().Unreadable = couldNotRead(snapshot.PodSecurityPart, "pods is forbidden")
			},
			want: []string{"fail pod-security west"},
		},
		{
			name:   "overlapping pod ranges",
			change: func(w *world) { w.west().PodRanges = w.east().PodRanges },
			want:   []string{"fail network-overlap west"},
		},
		{
			name:   "another root",
			change: func(w *world) { w.east().RootCert, w.west().RootCert = "root", "other" },
			want:   []string{"fail roots-differ west"},
		},
		{
			name: "a control plane of its own",
			change: func(w *world) {
				w.west().ControlPlanes = []snapshot.ControlPlane{{Name: "istiod", Revision: "default"}}
			},
			want: []string{"fail own-control-plane west"},
		},
		{
			name:   "a clock that is early",
			change: func(w *world) { w.west().Clock.Ahead = 120 },
			want:   []string{"fail clock-skew west"},
		},
		{
			name:   "the same cluster",
			change: func(w *world) { w.west().UID, w.west().PodRanges = w.east().UID, w.east().PodRanges },
			want:   []string{"fail same-cluster west"},
		},
	}
	for i := range scenarios {
		scenarios[i].command, scenarios[i].change = "preflight", bare(scenarios[i].change)
	}
	return scenarios
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	play(t, "preflight.txt", preflightScenarios())
}
