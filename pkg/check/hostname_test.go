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
		{"a hostname", "", behind, nil},
		{"a hostname, and webhooks are called at its other name", "", func(w *world) {
			behind(w)
			w.west().Injectors[0].Hosts = []string{"second.example:15017"}
		}, nil},
		{"istiod does not have the hostname", "", by("kubectl-mesh", "own.example"), []string{"fail address-hostname east"}},
		{"istiod does not have the hostname", BeforeAttach, by("kubectl-mesh"), []string{"fail address-hostname east"}},
		{"a cluster that gets hostnames", "preflight", getsHostnames(behind), nil},
		{"Helm's istiod in a cluster that gets hostnames", "preflight", getsHostnames(func(w *world) {
			w.controlPlane().InstalledBy, w.east().Gateways = "helm", nil
		}), []string{"warn load-balancer east"}},
		{"istiod does not have the hostname", "preflight", getsHostnames(by("kubectl-mesh")), []string{"fail address-hostname east"}},
		{"Helm's istiod does not have the hostnames", BeforeAttach, by("helm", "own.example"), []string{"fail address-hostname east"}},
		{"istioctl's istiod does not have the hostnames", BeforeAttach, by("istioctl"), []string{"fail address-hostname east"}},
		{"Argo CD's istiod does not have the hostnames", BeforeAttach, by("argocd"), []string{"fail address-hostname east"}},
		{"our files, applied by Argo CD, do not have the hostnames", BeforeAttach,
			func(w *world) { by("argocd")(w); w.controlPlane().Rendered = true }, []string{"fail address-hostname east"}},
		{"Helm's istiod has the hostname", BeforeAttach, by("helm", "gw.example"), nil},
		{"a revision without a port of its own", BeforeAttach, func(w *world) { behind(w); canary(w) }, []string{"fail address-hostname east"}},
		{"a revision with a port of its own", "", func(w *world) {
			behind(w)
			canary(w)
			w.gateway().WebhookPorts = map[string]int32{"canary": 15101}
			for _, name := range []string{"south", "west"} {
				for i := range w.snapshot.Clusters[name].Injectors {
					w.snapshot.Clusters[name].Injectors[i].Hosts = []string{"gw.example:15101"}
				}
			}
		}, nil},
		{"a revision is called at the port of another", "", func(w *world) {
			behind(w)
			canary(w)
			w.gateway().WebhookPorts = map[string]int32{"canary": 15101}
		}, []string{"fail webhook-address south", "fail webhook-address west"}},
		{"a named revision with an IP needs no port", "", canary, nil},
		{"a webhook calls another host", "", func(w *world) {
			behind(w)
			w.west().Injectors[1].Hosts = []string{"old.example:15017"}
			w.west().Injection.Error = "no such host"
		}, []string{"fail webhook-address west"}},
		{"the gateway has an IP now", "", func(w *world) {
			w.west().Injectors[0].Hosts = []string{"old.example:15017"}
		}, []string{"fail webhook-address west"}},
		{"a URL with the gateway's IP", "", func(w *world) { w.west().Injectors[0].Hosts = []string{"192.0.2.10:15017"} }, nil},
		{"a webhook at an ExternalName, which works", "", atService, []string{"warn webhook-address west"}},
		{"a webhook at an ExternalName, which is refused", "",
			func(w *world) { atService(w); w.west().Injection.Error = refused }, []string{"fail webhook-address west"}},
		{"a webhook at an ExternalName, which is refused, and this machine is shut out", "", func(w *world) {
			atService(w)
			w.west().Injection.Error = refused
			w.shut()
		}, []string{"fail webhook-address west", "unknown firewall east"}},
		{"a webhook at an ExternalName, which nobody tried, at a gateway with port 443", "",
			func(w *world) { atService(w); w.west().Injection = nil; w.gateway().Ports = []int32{443} }, []string{"warn webhook-address west"}},
		{"a webhook at an ExternalName, which nobody tried", "",
			func(w *world) { atService(w); w.west().Injection = nil }, []string{"fail webhook-address west"}},
		{"an IPv6 address alone", BeforeAttach, ipv6, []string{"fail address-ipv6 east"}},
		{"an IPv6 address alone", BeforeExpose, ipv6, []string{"fail address-ipv6 east"}},
		{"an IPv6 address alone", "preflight", ipv6, []string{"fail address-ipv6 east"}},
		{"an IPv6 address, and the user says another", BeforeExpose, func(w *world) {
			ipv6(w)
			w.mesh.Clusters[0].Gateway = "gw.example"
		}, nil},
	}
}

func TestHostname(t *testing.T) {
	t.Parallel()
	play(t, "hostname.txt", hostnameScenarios())
}
