package check

import (
	"slices"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func primaryScenarios() []scenario {
	unfit := func(tool string) func(w *world) {
		return func(w *world) {
			w.controlPlane().InstalledBy, w.controlPlane().ExternalIstiod, w.controlPlane().ClusterID, w.controlPlane().MeshID = tool, false, "Kubernetes", ""
		}
	}
	installed := func(command string, change func(w *world), tells ...string) scenario {
		return scenario{command: command, change: change, tells: tells}
	}
	named := func(name string, s scenario) scenario {
		s.name = name
		return s
	}
	renamed := func(change func(*snapshot.ControlPlane)) func(w *world) {
		return func(w *world) { change(w.controlPlane()) }
	}
	shut := func(policies ...snapshot.GatewayPolicy) func(w *world) {
		return func(w *world) {
			for _, p := range policies {
				p.Namespace = "istio-system"
				w.east().GatewayPolicies = append(w.east().GatewayPolicies, p)
			}
		}
	}
	noIstiod := func(w *world) { // as Complete leaves it: only istiod knows the primary's name
		w.mesh.Clusters[0].Name = ""
		w.east().ControlPlanes, w.east().Gateways, w.east().Exposed, w.east().RemoteSecrets = nil, nil, nil, nil
		w.east().RootCert, w.east().Ports = "", nil
		w.snapshot.Clusters[""] = w.east()
		delete(w.snapshot.Clusters, "east")
		w.snapshot.Traffic = nil
	}
	return []scenario{
		named("no istiod yet", installed(BeforeInstall, func(w *world) { w.east().ControlPlanes = nil })),
		named("istioctl's, unfit", installed(BeforeInstall, unfit("istioctl"), "fail adoptable east")),
		named("istioctl's of a revision, unfit", installed(BeforeInstall, func(w *world) {
			unfit("istioctl")(w)
			w.mesh.Revision, w.controlPlane().Revision, w.controlPlane().Name = "canary", "canary", "istiod-canary"
		}, "fail adoptable east")),
		named("Helm's, unfit", installed(BeforeInstall, unfit("helm"), "fail adoptable east")),
		named("Argo CD's, unfit", installed(BeforeInstall, unfit("argocd"), "fail adoptable east")),
		named("Flux's, unfit", installed(BeforeInstall, unfit("flux"), "fail adoptable east")),
		named("an unknown tool's, unfit", installed(BeforeInstall, unfit(""), "fail adoptable east")),
		named("Helm's, fit", installed(BeforeInstall, renamed(func(p *snapshot.ControlPlane) { p.InstalledBy = "helm" }))),
		named("ours, under another name", installed(BeforeInstall, renamed(func(p *snapshot.ControlPlane) { p.ClusterID = "orient" }), "fail adoptable east")),
		named("ours, of another mesh", installed(BeforeInstall, renamed(func(p *snapshot.ControlPlane) { p.MeshID = "mesh9" }), "fail adoptable east")),
		named("ours, on another network", installed(BeforeInstall, renamed(func(p *snapshot.ControlPlane) { p.Network = "network9" }), "fail adoptable east")),
		named("ours, a network where there was none", installed(BeforeInstall, renamed(func(p *snapshot.ControlPlane) { p.Network = "" }))),

		named("no istiod", installed("", noIstiod, "fail no-istiod ctx-east")),
		named("no istiod", installed(BeforeExpose, noIstiod, "fail no-istiod ctx-east")),
		named("no istiod", installed(BeforeAttach, noIstiod, "fail no-istiod ctx-east")),
		named("istiod of another revision only", installed(BeforeExpose, func(w *world) {
			w.mesh.Revision = "canary"
			w.east().ControlPlanes = append(w.east().ControlPlanes, snapshot.ControlPlane{Name: "istiod-old", Revision: "old"})
		}, "fail no-istiod east")),
		named("not for remotes", installed("", renamed(func(p *snapshot.ControlPlane) { p.ExternalIstiod = false }), "fail external-off east")),
		named("not for remotes", installed(BeforeExpose, renamed(func(p *snapshot.ControlPlane) { p.ExternalIstiod, p.InstalledBy = false, "helm" }), "fail external-off east")),
		named("not for remotes", installed(BeforeAttach, renamed(func(p *snapshot.ControlPlane) { p.ExternalIstiod = false }), "fail external-off east")),
		named("the default name", installed(BeforeAttach, renamed(func(p *snapshot.ControlPlane) { p.ClusterID = "Kubernetes" }), "fail name-default east")),
		named("a replica is not ready", installed("", renamed(func(p *snapshot.ControlPlane) { p.Ready = 1 }), "fail istiod-ready east")),
		named("scaled to nothing", installed("", func(w *world) {
			w.controlPlane().Ready, w.controlPlane().Desired, w.controlPlane().Replicas = 0, 0, nil
			w.east().Ports = []snapshot.Port{{Number: 15012, Error: "timeout"}, {Number: 15017, Error: "timeout"}}
			w.east().Injection.Error, w.west().Injection.Error = "timeout", "timeout"
		}, "fail istiod-ready east")),
		named("a patch release apart", installed(BeforeAttach, renamed(func(p *snapshot.ControlPlane) { p.Version = "1.29.0-distroless" }))),
		named("a minor release apart", installed(BeforeAttach, renamed(func(p *snapshot.ControlPlane) { p.Version = "1.28.3" }), "fail version-skew east")),
		named("a minor release apart", installed("", renamed(func(p *snapshot.ControlPlane) { p.Version = "1.28.3" }), "warn version-skew east")),
		named("an image tag that is no release", installed(BeforeAttach, renamed(func(p *snapshot.ControlPlane) { p.Version = "latest" }), "warn version-skew east")),
		named("charts that are no release", installed(BeforeAttach, func(w *world) { w.charts.Release = "master" }, "warn version-skew east")),

		named("no gateway", installed("", func(w *world) { w.east().Gateways = nil }, "fail address-pending east")),
		named("no gateway", installed(BeforeAttach, func(w *world) { w.east().Gateways = nil }, "fail address-pending east")),
		named("no gateway, no address", installed(BeforeExpose, func(w *world) { w.east().Gateways = nil })),
		named("no address", installed(BeforeAttach, func(w *world) { w.gateway().Address = "" }, "fail address-pending east")),
		named("no address", installed("", func(w *world) {
			w.gateway().Address, w.east().Ports, w.west().Injection.Error = "", nil, "no route to host"
		}, "fail address-pending east")),
		named("no load balancer is asked for", installed("", func(w *world) { w.gateway().Address, w.gateway().Type = "", "ClusterIP" }, "fail address-pending east")),
		named("the gateway is scaled to nothing", installed("", func(w *world) {
			w.gateway().ReadyEndpoints, w.gateway().Stopped, w.west().Injection.Error = 0, true, "connection refused"
		}, "fail gateway-ready east")),
		named("the gateway is down", installed("", func(w *world) { w.gateway().ReadyEndpoints = 0 }, "fail gateway-ready east")),
		named("nothing is allowed in Istio's namespace", installed("", shut(snapshot.GatewayPolicy{Name: "deny-by-default", Action: "ALLOW"}), "fail gateway-policy east")),
		named("nothing is allowed, and the firewall's probe fails for it", installed("", func(w *world) {
			shut(snapshot.GatewayPolicy{Name: "deny-by-default", Action: "ALLOW"})(w)
			w.east().Ports = []snapshot.Port{{Number: 15012, Error: "EOF"}, {Number: 15017, Error: "EOF"}}
			w.west().Injection.Error, w.snapshot.Clusters["south"].Injection.Error = "EOF", "EOF"
		}, "fail gateway-policy east")),
		named("only the proxies' port is allowed", installed("", shut(
			snapshot.GatewayPolicy{Name: "deny-by-default", Action: "ALLOW"}, snapshot.GatewayPolicy{Name: "proxies", Action: "ALLOW", Surely: []int{15012}, Perhaps: []int{15012}},
		), "fail gateway-policy east")),
		named("both ports are allowed", installed("", shut(
			snapshot.GatewayPolicy{Name: "deny-by-default", Action: "ALLOW"}, snapshot.GatewayPolicy{Name: "gateway", Action: "ALLOW", Surely: []int{15012, 15017}, Perhaps: []int{15012, 15017}},
		))),
		named("some callers are allowed", installed("", shut(snapshot.GatewayPolicy{Name: "offices", Action: "ALLOW", Perhaps: []int{15012, 15017}}))),
		named("all is denied", installed("", shut(
			snapshot.GatewayPolicy{Name: "gateway", Action: "ALLOW", Surely: []int{15012, 15017}, Perhaps: []int{15012, 15017}},
			snapshot.GatewayPolicy{Name: "deny-all", Action: "DENY", Surely: []int{15012, 15017}, Perhaps: []int{15012, 15017}, Always: []int{1}},
		), "fail gateway-policy east")),
		named("one port is denied", installed("", shut(snapshot.GatewayPolicy{Name: "no-webhooks", Action: "DENY", Surely: []int{15017}, Perhaps: []int{15017}}), "fail gateway-policy east")),
		named("some callers are denied", installed("", shut(snapshot.GatewayPolicy{Name: "strangers", Action: "DENY", Perhaps: []int{15012, 15017}}))),
		named("policies for a gateway of which no pod runs", installed("", func(w *world) {
			shut(snapshot.GatewayPolicy{Name: "deny-by-default", Action: "ALLOW"})(w)
			w.gateway().ReadyEndpoints = 0
		}, "fail gateway-ready east")),
		named("not published", installed(BeforeAttach, func(w *world) { w.east().Exposed = nil }, "fail not-exposed east")),
		named("another revision is published", installed("", func(w *world) { w.east().Exposed = []string{"canary"} }, "fail not-exposed east")),
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
	if results := Gate(BeforeInstall, w.mesh, w.snapshot, Charts{}, command.Caller{}); !slices.ContainsFunc(results, refused) {
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
