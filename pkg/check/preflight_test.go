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
		{"two bare clusters", "", func(*world) {}, nil},
		{"no load balancer", "", func(w *world) { w.east().LoadBalancers = snapshot.LoadBalancers{} }, []string{"warn load-balancer east"}},
		{"a load balancer that gives nothing", "", func(w *world) { w.east().LoadBalancers = snapshot.LoadBalancers{Pending: 2} }, []string{"fail load-balancer east"}},
		{"a cloud", "", func(w *world) { w.east().LoadBalancers, w.east().Cloud = snapshot.LoadBalancers{}, true }, nil},
		{"a remote needs none", "", func(w *world) { w.west().LoadBalancers = snapshot.LoadBalancers{} }, nil},
		{"pod security in general", "", func(w *world) { w.west().PodSecurity = "violates PodSecurity \"baseline:latest\"" }, []string{"fail pod-security west"}},
		{"pod security of a namespace", "", func(w *world) { w.west().Restricted = []string{"shop (restricted)"} }, []string{"fail pod-security west"}},
		{"too old", "", func(w *world) { w.west().KubernetesVersion = "v1.29.14" }, []string{"fail kubernetes-version west"}},
		{"no permission", "", func(w *world) {
			w.west().Denied = []snapshot.Permission{
				{Verb: "create", Resource: "namespaces"}, {Verb: "patch", Resource: "namespaces"}, {Verb: "create", Resource: "secrets", Namespace: "istio-system"},
			}
		}, []string{"fail permission west"}},
		{"no permission for the dry run of a pod", "", func(w *world) {
			w.west().Denied = []snapshot.Permission{{Verb: "create", Resource: "pods", Namespace: "default"}}
			w.west().Unreadable = []snapshot.Unreadable{{What: snapshot.PodSecurityPart, Reason: "pods is forbidden"}}
		}, []string{"fail permission west"}},
		{"a dry run that fails otherwise", "", func(w *world) {
			w.west().Unreadable = []snapshot.Unreadable{{What: snapshot.PodSecurityPart, Reason: "the server is overloaded"}}
		}, []string{"unknown pod-security west"}},
		{"pod security of a namespace, and no dry run", "", func(w *world) {
			w.west().Restricted = []string{"shop (restricted)"}
			w.west().Unreadable = []snapshot.Unreadable{{What: snapshot.PodSecurityPart, Reason: "pods is forbidden"}}
		}, []string{"fail pod-security west"}},
		{"overlapping pod ranges", "", func(w *world) { w.west().PodRanges = w.east().PodRanges }, []string{"fail network-overlap west"}},
		{"another root", "", func(w *world) { w.east().RootCert, w.west().RootCert = "root", "other" }, []string{"fail roots-differ west"}},
		{"a control plane of its own", "", func(w *world) {
			w.west().ControlPlanes = []snapshot.ControlPlane{{Name: "istiod", Revision: "default"}}
		}, []string{"fail own-control-plane west"}},
		{"a clock that is early", "", func(w *world) { w.west().Clock.Ahead = 120 }, []string{"fail clock-skew west"}},
		{"the same cluster", "", func(w *world) {
			w.west().UID, w.west().PodRanges = w.east().UID, w.east().PodRanges
		}, []string{"fail same-cluster west"}},
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
