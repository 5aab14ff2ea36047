package check

import (
	"slices"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func primaryScenarios() []scenario {
	// unfit is a control plane of a tool that can't be a primary as it is.
	unfit := func(tool string) func(w *world) {
		return func(w *world) {
			w.controlPlane().InstalledBy, w.controlPlane().ExternalIstiod, w.controlPlane().ClusterID, w.controlPlane().MeshID = tool, false, "Kubernetes", ""
		}
	}
	// with changes the control plane.
	with := func(change func(*snapshot.ControlPlane)) func(w *world) {
		return func(w *world) { change(w.controlPlane()) }
	}
	// policies bind the gateway's pods.
	policies := func(bind ...snapshot.GatewayPolicy) func(w *world) {
		return func(w *world) {
			for _, p := range bind {
				p.Namespace = "istio-system"
				w.east().GatewayPolicies = append(w.east().GatewayPolicies, p)
			}
		}
	}
	noIstiod := func(w *world) { // as Complete leaves it: only istiod knows the primary's name
		w.cluster("east").Name = ""
		w.east().ControlPlanes, w.east().Gateways, w.east().Exposed, w.east().RemoteSecrets = nil, nil, nil, nil
		w.east().RootCert, w.east().Ports = "", nil
		w.snapshot.Clusters[""] = w.east()
		delete(w.snapshot.Clusters, "east")
		w.snapshot.Traffic = nil
	}
	return []scenario{
		{
			name: "no istiod yet", command: BeforeInstall,
			change: func(w *world) { w.east().ControlPlanes = nil },
		},
		{
			name: "istioctl's, unfit", command: BeforeInstall,
			change: unfit("istioctl"),
			want:   []string{"fail adoptable east"},
		},
		{
			name: "istioctl's of a revision, unfit", command: BeforeInstall,
			change: func(w *world) {
				unfit("istioctl")(w)
				w.mesh.Revision, w.controlPlane().Revision, w.controlPlane().Name = "canary", "canary", "istiod-canary"
			},
			want: []string{"fail adoptable east"},
		},
		{
			name: "Helm's, unfit", command: BeforeInstall,
			change: unfit("helm"),
			want:   []string{"fail adoptable east"},
		},
		{
			name: "Argo CD's, unfit", command: BeforeInstall,
			change: unfit("argocd"),
			want:   []string{"fail adoptable east"},
		},
		{
			name: "Flux's, unfit", command: BeforeInstall,
			change: unfit("flux"),
			want:   []string{"fail adoptable east"},
		},
		{
			name: "an unknown tool's, unfit", command: BeforeInstall,
			change: unfit(""),
			want:   []string{"fail adoptable east"},
		},
		{
			name: "Helm's, fit", command: BeforeInstall,
			change: with(func(p *snapshot.ControlPlane) { p.InstalledBy = "helm" }),
		},
		{
			name: "ours, under another name", command: BeforeInstall,
			change: with(func(p *snapshot.ControlPlane) { p.ClusterID = "orient" }),
			want:   []string{"fail adoptable east"},
		},
		{
			name: "ours, of another mesh", command: BeforeInstall,
			change: with(func(p *snapshot.ControlPlane) { p.MeshID = "mesh9" }),
			want:   []string{"fail adoptable east"},
		},
		{
			name: "ours, on another network", command: BeforeInstall,
			change: with(func(p *snapshot.ControlPlane) { p.Network = "network9" }),
			want:   []string{"fail adoptable east"},
		},
		{
			name: "ours, a network where there was none", command: BeforeInstall,
			change: with(func(p *snapshot.ControlPlane) { p.Network = "" }),
		},

		{
			name:   "no istiod",
			change: noIstiod,
			want:   []string{"fail no-istiod ctx-east"},
		},
		{
			name: "no istiod", command: BeforeExpose,
			change: noIstiod,
			want:   []string{"fail no-istiod ctx-east"},
		},
		{
			name: "no istiod", command: BeforeAttach,
			change: noIstiod,
			want:   []string{"fail no-istiod ctx-east"},
		},
		{
			name: "istiod of another revision only", command: BeforeExpose,
			change: func(w *world) {
				w.mesh.Revision = "canary"
				w.east().ControlPlanes = append(w.east().ControlPlanes, snapshot.ControlPlane{Name: "istiod-old", Revision: "old"})
			},
			want: []string{"fail no-istiod east"},
		},
		{
			name:   "not for remotes",
			change: with(func(p *snapshot.ControlPlane) { p.ExternalIstiod = false }),
			want:   []string{"fail external-off east"},
		},
		{
			name: "not for remotes", command: BeforeExpose,
			change: with(func(p *snapshot.ControlPlane) { p.ExternalIstiod, p.InstalledBy = false, "helm" }),
			want:   []string{"fail external-off east"},
		},
		{
			name: "not for remotes", command: BeforeAttach,
			change: with(func(p *snapshot.ControlPlane) { p.ExternalIstiod = false }),
			want:   []string{"fail external-off east"},
		},
		{
			name: "the default name", command: BeforeAttach,
			change: with(func(p *snapshot.ControlPlane) { p.ClusterID = "Kubernetes" }),
			want:   []string{"fail name-default east"},
		},
		{
			name:   "a replica is not ready",
			change: with(func(p *snapshot.ControlPlane) { p.Ready = 1 }),
			want:   []string{"fail istiod-ready east"},
		},
		{
			name: "scaled to nothing",
			change: func(w *world) {
				w.controlPlane().Ready, w.controlPlane().Desired, w.controlPlane().Replicas = 0, 0, nil
				w.east().Ports = []snapshot.Port{{Number: 15012, Error: "timeout"}, {Number: 15017, Error: "timeout"}}
				w.east().Injection.Error, w.west().Injection.Error = "timeout", "timeout"
			},
			want: []string{"fail istiod-ready east"},
		},
		{
			name: "a patch release apart", command: BeforeAttach,
			change: with(func(p *snapshot.ControlPlane) { p.Version = "1.29.0-distroless" }),
		},
		{
			name: "a minor release apart", command: BeforeAttach,
			change: with(func(p *snapshot.ControlPlane) { p.Version = "1.28.3" }),
			want:   []string{"fail version-skew east"},
		},
		{
			name:   "a minor release apart",
			change: with(func(p *snapshot.ControlPlane) { p.Version = "1.28.3" }),
			want:   []string{"warn version-skew east"},
		},
		{
			name: "an image tag that is no release", command: BeforeAttach,
			change: with(func(p *snapshot.ControlPlane) { p.Version = "latest" }),
			want:   []string{"warn version-skew east"},
		},
		{
			name: "charts that are no release", command: BeforeAttach,
			change: func(w *world) { w.charts.Release = "master" },
			want:   []string{"warn version-skew east"},
		},

		{
			name:   "no gateway",
			change: func(w *world) { w.east().Gateways = nil },
			want:   []string{"fail address-pending east"},
		},
		{
			name: "no gateway", command: BeforeAttach,
			change: func(w *world) { w.east().Gateways = nil },
			want:   []string{"fail address-pending east"},
		},
		{
			name: "no gateway, no address", command: BeforeExpose,
			change: func(w *world) { w.east().Gateways = nil },
		},
		{
			name: "no address", command: BeforeAttach,
			change: func(w *world) { w.gateway().Address = "" },
			want:   []string{"fail address-pending east"},
		},
		{
			name: "no address",
			change: func(w *world) {
				w.gateway().Address, w.east().Ports, w.west().Injection.Error = "", nil, "no route to host"
			},
			want: []string{"fail address-pending east"},
		},
		{
			name:   "no load balancer is asked for",
			change: func(w *world) { w.gateway().Address, w.gateway().Type = "", "ClusterIP" },
			want:   []string{"fail address-pending east"},
		},
		{
			name: "the gateway is scaled to nothing",
			change: func(w *world) {
				w.gateway().ReadyEndpoints, w.gateway().Stopped, w.west().Injection.Error = 0, true, "connection refused"
			},
			want: []string{"fail gateway-ready east"},
		},
		{
			name:   "the gateway is down",
			change: func(w *world) { w.gateway().ReadyEndpoints = 0 },
			want:   []string{"fail gateway-ready east"},
		},
		{
			name:   "nothing is allowed in Istio's namespace",
			change: policies(snapshot.GatewayPolicy{Name: "deny-by-default", Action: "ALLOW"}),
			want:   []string{"fail gateway-policy east"},
		},
		{
			name: "nothing is allowed, and the firewall's probe fails for it",
			change: func(w *world) {
				policies(snapshot.GatewayPolicy{Name: "deny-by-default", Action: "ALLOW"})(w)
				w.east().Ports = []snapshot.Port{{Number: 15012, Error: "EOF"}, {Number: 15017, Error: "EOF"}}
				w.west().Injection.Error, w.snapshot.Clusters["south"].Injection.Error = "EOF", "EOF"
			},
			want: []string{"fail gateway-policy east"},
		},
		{
			name: "only the proxies' port is allowed",
			change: policies(
				snapshot.GatewayPolicy{Name: "deny-by-default", Action: "ALLOW"}, snapshot.GatewayPolicy{Name: "proxies", Action: "ALLOW", Surely: []int{15012}, Perhaps: []int{15012}},
			),
			want: []string{"fail gateway-policy east"},
		},
		{
			name: "both ports are allowed",
			change: policies(
				snapshot.GatewayPolicy{Name: "deny-by-default", Action: "ALLOW"}, snapshot.GatewayPolicy{Name: "gateway", Action: "ALLOW", Surely: []int{15012, 15017}, Perhaps: []int{15012, 15017}},
			),
		},
		{
			name:   "some callers are allowed",
			change: policies(snapshot.GatewayPolicy{Name: "offices", Action: "ALLOW", Perhaps: []int{15012, 15017}}),
		},
		{
			name: "all is denied",
			change: policies(
				snapshot.GatewayPolicy{Name: "gateway", Action: "ALLOW", Surely: []int{15012, 15017}, Perhaps: []int{15012, 15017}},
				snapshot.GatewayPolicy{Name: "deny-all", Action: "DENY", Surely: []int{15012, 15017}, Perhaps: []int{15012, 15017}, Always: []int{1}},
			),
			want: []string{"fail gateway-policy east"},
		},
		{
			name:   "one port is denied",
			change: policies(snapshot.GatewayPolicy{Name: "no-webhooks", Action: "DENY", Surely: []int{15017}, Perhaps: []int{15017}}),
			want:   []string{"fail gateway-policy east"},
		},
		{
			name:   "some callers are denied",
			change: policies(snapshot.GatewayPolicy{Name: "strangers", Action: "DENY", Perhaps: []int{15012, 15017}}),
		},
		{
			name: "policies for a gateway of which no pod runs",
			change: func(w *world) {
				policies(snapshot.GatewayPolicy{Name: "deny-by-default", Action: "ALLOW"})(w)
				w.gateway().ReadyEndpoints = 0
			},
			want: []string{"fail gateway-ready east"},
		},
		{
			name: "not published", command: BeforeAttach,
			change: func(w *world) { w.east().Exposed = nil },
			want:   []string{"fail not-exposed east"},
		},
		{
			name:   "another revision is published",
			change: func(w *world) { w.east().Exposed = []string{"canary"} },
			want:   []string{"fail not-exposed east"},
		},
	}
}

func TestPrimary(t *testing.T) {
	t.Parallel()
	play(t, "primary.txt", primaryScenarios())
}

// What a GitOps tool applies of our files keeps its identity as what we applied ourselves.
func TestRendered(t *testing.T) {
	t.Parallel()
	w := healthy()
	w.controlPlane().InstalledBy = "flux"
	w.controlPlane().Rendered = true
	w.controlPlane().Network = "network9"
	refused := func(r Result) bool { return r.ID == "adoptable" && r.Status == Fail }
	if results := Judge(BeforeInstall, w.mesh, w.snapshot, Charts{}, command.Caller{}); !slices.ContainsFunc(results, refused) {
		t.Errorf("its network may be changed: %v", results)
	}
}

func TestMinor(t *testing.T) {
	t.Parallel()
	for release, want := range map[string]string{
		"1.29.1": "1.29", "1.29": "1.29", "1.29.1-distroless": "1.29", "1.30-alpha.abc": "1.30", "latest": "", "": "", "2.0.1": "", "1": "",
	} {
		if got := minor(release); got != want {
			t.Errorf("minor(%q) = %q, want %q", release, got, want)
		}
	}
}
