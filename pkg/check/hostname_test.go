package check

import (
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// behind puts a healthy mesh behind a hostname.
func behind(w *world) {
	*w.gateway() = snapshot.Gateway{
		Name: "istio-eastwestgateway", Type: "LoadBalancer", ReadyEndpoints: 1, Ports: []int32{15021, 15443, 15012, 15017},
		Address: "gw.example", Hostnames: []string{"gw.example", "second.example"},
	}
	w.controlPlane().CustomHosts = []string{"gw.example", "second.example"}
	for _, name := range []string{"south", "west"} {
		seen := w.snapshot.Clusters[name]
		seen.IstiodServices = []snapshot.IstiodService{{Name: "istiod", ExternalName: "gw.example"}}
		for i := range seen.Injectors {
			seen.Injectors[i].Hosts = []string{"gw.example:15017"}
		}
	}
}

// canary makes the revision of a mesh a named one.
func canary(w *world) {
	w.mesh.Revision = "canary"
	w.controlPlane().Name, w.controlPlane().Revision = "istiod-canary", "canary"
	w.east().Exposed = []string{"canary"}
	for _, seen := range w.snapshot.Clusters {
		for i := range seen.Injectors {
			seen.Injectors[i].Revision = "canary"
		}
		for i := range seen.IstiodServices {
			seen.IstiodServices[i].Name = "istiod-canary"
		}
		seen.Installed = map[string]snapshot.Installed{"canary": seen.Installed["default"]}
	}
}

func hostnameScenarios() []scenario {
	// west is called as an earlier release, and Istio's guide, have it.
	atService := func(w *world) {
		behind(w)
		for i := range w.west().Injectors {
			w.west().Injectors[i].Hosts = []string{""}
		}
	}
	by := func(tool string, hosts ...string) func(*world) {
		return func(w *world) { behind(w); w.controlPlane().InstalledBy, w.controlPlane().CustomHosts = tool, hosts }
	}
	ipv6 := func(w *world) { w.gateway().Address, w.east().LoadBalancers.Served = "fd00::1", 1 }
	getsHostnames := func(change func(*world)) func(*world) {
		return func(w *world) {
			change(w)
			w.east().LoadBalancers = snapshot.LoadBalancers{Served: 1, Hostname: "shop.example"}
		}
	}
	const refused = `failed to call webhook: unsupported service type "ExternalName"`
	return []scenario{
		{
			name:   "a hostname",
			change: behind,
		},
		{
			name: "a hostname, and webhooks are called at its other name",
			change: func(w *world) {
				behind(w)
				w.west().Injectors[0].Hosts = []string{"second.example:15017"}
			},
		},
		{
			name:   "istiod does not have the hostname",
			change: by("kubectl-mesh", "own.example"),
			want:   []string{"fail address-hostname east"},
		},
		{
			name: "istiod does not have the hostname", command: BeforeAttach,
			change: by("kubectl-mesh"),
			want:   []string{"fail address-hostname east"},
		},
		{
			name: "a cluster that gets hostnames", command: "preflight",
			change: getsHostnames(behind),
		},
		{
			name: "Helm's istiod in a cluster that gets hostnames", command: "preflight",
			change: getsHostnames(func(w *world) { w.controlPlane().InstalledBy, w.east().Gateways = "helm", nil }),
			want:   []string{"warn load-balancer east"},
		},
		{
			name: "istiod does not have the hostname", command: "preflight",
			change: getsHostnames(by("kubectl-mesh")),
			want:   []string{"fail address-hostname east"},
		},
		{
			name: "Helm's istiod does not have the hostnames", command: BeforeAttach,
			change: by("helm", "own.example"),
			want:   []string{"fail address-hostname east"},
		},
		{
			name: "istioctl's istiod does not have the hostnames", command: BeforeAttach,
			change: by("istioctl"),
			want:   []string{"fail address-hostname east"},
		},
		{
			name: "Argo CD's istiod does not have the hostnames", command: BeforeAttach,
			change: by("argocd"),
			want:   []string{"fail address-hostname east"},
		},
		{
			name: "our files, applied by Argo CD, do not have the hostnames", command: BeforeAttach,
			change: func(w *world) {
				by("argocd")(w)
				w.controlPlane().Rendered = true
			},
			want: []string{"fail address-hostname east"},
		},
		{
			name: "Helm's istiod has the hostname", command: BeforeAttach,
			change: by("helm", "gw.example"),
		},
		{
			name: "a revision without a port of its own", command: BeforeAttach,
			change: func(w *world) {
				behind(w)
				canary(w)
			},
			want: []string{"fail address-hostname east"},
		},
		{
			name: "a revision with a port of its own",
			change: func(w *world) {
				behind(w)
				canary(w)
				w.gateway().WebhookPorts = map[string]int32{"canary": 15101}
				for _, name := range []string{"south", "west"} {
					for i := range w.snapshot.Clusters[name].Injectors {
						w.snapshot.Clusters[name].Injectors[i].Hosts = []string{"gw.example:15101"}
					}
				}
			},
		},
		{
			name: "a revision is called at the port of another",
			change: func(w *world) {
				behind(w)
				canary(w)
				w.gateway().WebhookPorts = map[string]int32{"canary": 15101}
			},
			want: []string{"fail webhook-address south", "fail webhook-address west"},
		},
		{
			name:   "a named revision with an IP needs no port",
			change: canary,
		},
		{
			name: "a webhook calls another host",
			change: func(w *world) {
				behind(w)
				w.west().Injectors[1].Hosts = []string{"old.example:15017"}
				w.west().Injection.Error = "no such host"
			},
			want: []string{"fail webhook-address west"},
		},
		{
			name:   "the gateway has an IP now",
			change: func(w *world) { w.west().Injectors[0].Hosts = []string{"old.example:15017"} },
			want:   []string{"fail webhook-address west"},
		},
		{
			name:   "a URL with the gateway's IP",
			change: func(w *world) { w.west().Injectors[0].Hosts = []string{"192.0.2.10:15017"} },
		},
		{
			name:   "a webhook at an ExternalName, which works",
			change: atService,
			want:   []string{"warn webhook-address west"},
		},
		{
			name: "a webhook at an ExternalName, which is refused",
			change: func(w *world) {
				atService(w)
				w.west().Injection.Error = refused
			},
			want: []string{"fail webhook-address west"},
		},
		{
			name: "a webhook at an ExternalName, which is refused, and this machine is shut out",
			change: func(w *world) {
				atService(w)
				w.west().Injection.Error = refused
				w.shut()
			},
			want: []string{"fail webhook-address west", "unknown firewall east"},
		},
		{
			name: "a webhook at an ExternalName, which nobody tried, at a gateway with port 443",
			change: func(w *world) {
				atService(w)
				w.west().Injection = nil
				w.gateway().Ports = []int32{443}
			},
			want: []string{"warn webhook-address west"},
		},
		{
			name: "a webhook at an ExternalName, which nobody tried",
			change: func(w *world) {
				atService(w)
				w.west().Injection = nil
			},
			want: []string{"fail webhook-address west"},
		},
		{
			name: "an IPv6 address alone", command: BeforeAttach,
			change: ipv6,
			want:   []string{"fail address-ipv6 east"},
		},
		{
			name: "an IPv6 address alone", command: BeforeExpose,
			change: ipv6,
			want:   []string{"fail address-ipv6 east"},
		},
		{
			name: "an IPv6 address alone", command: "preflight",
			change: ipv6,
			want:   []string{"fail address-ipv6 east"},
		},
		{
			name: "an IPv6 address, and the user says another", command: BeforeExpose,
			change: func(w *world) {
				ipv6(w)
				w.cluster("east").Gateway = "gw.example"
			},
		},
	}
}

func TestHostname(t *testing.T) {
	t.Parallel()
	play(t, "hostname.txt", hostnameScenarios())
}
