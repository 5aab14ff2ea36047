package check

import (
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func evidenceScenarios() []scenario {
	use := func(problem snapshot.CredentialProblem) func(w *world) {
		return func(w *world) {
			w.secret().Use = &snapshot.CredentialUse{Problem: problem, Error: "as the network says"}
		}
	}
	unsynced := func(w *world) {
		for i := range w.controlPlane().Replicas {
			w.controlPlane().Replicas[i].Clusters[2].Status = "timeout"
		}
	}
	return []scenario{
		{"no token", "", func(w *world) { w.west().ReaderToken = nil; w.secret().Use = nil }, []string{"fail token-missing west"}},
		{"another token works", "", func(w *world) { w.west().ReaderToken = nil }, nil},
		{"an empty token", "", func(w *world) { w.west().ReaderToken.Filled = false }, []string{"fail token-missing west"}},
		{"a token refused", "", use(snapshot.TokenRefused), []string{"fail token-expired west"}},
		{"another CA", "", use(snapshot.ServerUntrusted), []string{"fail secret-ca west"}},
		{"unreachable from here alone", "", use(snapshot.ServerUnreachable), nil},
		{
			"this machine has no file descriptors left", "", use(snapshot.UseUnknown),
			[]string{"unknown secret-unreachable west"},
		},
		{
			"unreachable from everywhere", "",
			func(w *world) { use(snapshot.ServerUnreachable)(w); unsynced(w) },
			[]string{"fail secret-unreachable west"},
		},
		{
			"a cluster that is gone", "",
			func(w *world) {
				use(snapshot.ServerUnreachable)(w)
				unsynced(w)
				delete(w.snapshot.Clusters, "west")
				w.mesh.Clusters[2].Context = ""
				w.snapshot.Traffic = nil
			},
			[]string{"unknown reachable west", "fail secret-stale west"},
		},
		{
			"a reader that may too little", "",
			func(w *world) {
				w.secret().Use.Denied = []snapshot.Permission{{Verb: "list", Resource: "configmaps"}, {Verb: "watch", Resource: "configmaps"}}
			},
			[]string{"fail reader-rbac west"},
		},
		{
			"a reader that may not write", "",
			func(w *world) {
				w.secret().Use.Denied = []snapshot.Permission{{Verb: "create", Resource: "configmaps"}}
				w.west().Injectors[0].CABundles, w.west().RootCert = []string{""}, ""
			},
			[]string{"fail reader-rbac west"},
		},
		{"a stray secret", "", func(w *world) { w.east().StraySecrets = []string{"default/istio-remote-secret-west"} }, []string{"fail secret-namespace east"}},
		{
			"another mesh id", "",
			func(w *world) { w.west().Installed["default"] = snapshot.Installed{MeshID: "mesh2"} },
			[]string{"fail mesh-id west"},
		},
		{
			"overlapping pod ranges", "", func(w *world) { w.west().PodRanges = []string{"10.2.128.0/24"} },
			[]string{"fail network-overlap west"},
		},
		{
			"overlapping pod ranges of two networks", "",
			func(w *world) {
				w.west().PodRanges = []string{"10.2.128.0/24"}
				w.west().Namespace.Network, w.mesh.Clusters[2].Network = "network2", "network2"
				for i := range w.west().Injectors {
					w.west().Injectors[i].Paths = []string{"/inject/cluster/west/net/network2"}
				}
			},
			[]string{"fail network-unconnected west"},
		},
		{"one port closed", "", func(w *world) { w.east().Ports[0] = snapshot.Port{Number: 15012, Error: "connection refused"} }, []string{"fail firewall east"}},
		{"all ports closed to this machine alone", "", func(w *world) {
			w.east().Ports = []snapshot.Port{{Number: 15012, Error: "timeout"}, {Number: 15017, Error: "timeout"}}
		}, nil},
		{"the webhook's port closed", "", func(w *world) {
			w.east().Ports[1] = snapshot.Port{Number: 15017, Error: "connection refused"}
			w.west().Injection.Error = "connection refused"
		}, []string{"fail firewall east"}},
		{"somebody else at the gateway", "", func(w *world) { w.east().Ports[1].Trusted = false }, []string{"fail gateway-trust east"}},
		{"no injection", "", func(w *world) { w.west().Injection.Error = "no webhook was called" }, []string{"fail injection west"}},
		{"no answer to the API server alone", "", func(w *world) {
			w.west().Injection.Error = "Internal error occurred: failed calling webhook: context deadline exceeded"
		}, []string{"fail injection west"}},
		{"no injection in the primary", "", func(w *world) { w.east().Injection.Error = "no webhook was called" }, []string{"fail injection east"}},
		{"a gateway that was not injected", "", func(w *world) { w.east().UninjectedGateways = []string{"istio-eastwestgateway-x"} }, []string{"fail injection-not-ready east"}},
		{"a sidecar that refuses", "", func(w *world) { w.controlPlane().Replicas[0].Proxies[0].Rejected = "duplicate listener" }, []string{"fail proxies west"}},
		{"a sidecar of an older release", "", func(w *world) { w.controlPlane().Replicas[0].Proxies[0].Version = "1.27.3" }, []string{"warn proxies west"}},
		{"a proxy of nowhere", "", func(w *world) { w.controlPlane().Replicas[0].Proxies[0].Cluster = "nowhere" }, []string{"fail unknown-cluster east"}},
		{"an injector that nobody serves", "", func(w *world) {
			w.west().Injectors = append(w.west().Injectors, snapshot.Injector{Name: "istio-sidecar-injector-old", Revision: "old", CABundles: []string{"x"}})
		}, []string{"warn leftover west"}},
		{"a Service that is missing", "", func(w *world) {
			w.east().Services = map[string][]string{"shop": {"cart"}}
			w.snapshot.Clusters["south"].Services = map[string][]string{"shop": {"cart"}}
		}, []string{"warn service-asymmetric west"}},
		{"Istio's own namespace asks for sidecars", "", func(w *world) {
			for _, c := range w.snapshot.Clusters {
				c.Injected = append(c.Injected, "istio-system")
			}
			w.east().Services = map[string][]string{"istio-system": {"istio-eastwestgateway"}}
		}, nil},
		{"a headless Service that is missing", "", func(w *world) {
			w.east().Services, w.east().Headless = map[string][]string{"shop": {"cart"}}, []string{"shop/cart"}
			w.snapshot.Clusters["south"].Services = map[string][]string{"shop": {"cart"}}
		}, []string{"warn service-asymmetric west"}},
		{"a Service of a namespace that is not shared", "", func(w *world) {
			w.east().Injected = append(w.east().Injected, "office")
			w.east().RootCerts["office"] = "root"
			w.east().Services = map[string][]string{"office": {"desk"}}
		}, nil},
		{"a Service with other ports", "", func(w *world) {
			w.west().Analysis = []snapshot.AnalysisMessage{
				{Code: "IST0170", Level: "Warning", Kind: "Service", Namespace: "shop", Name: "cart", Clusters: []string{"east", "west"}, Text: "The service cart is inconsistent"},
				{Code: "IST0170", Level: "Warning", Kind: "Service", Namespace: "shop", Name: "desk", Clusters: []string{"east", "west"}, Text: "The service desk is inconsistent"},
			}
		}, []string{"warn service-inconsistent west"}},
		{"Services of one cluster alone could be read", "", func(w *world) {
			for _, name := range []string{"east", "south"} {
				w.snapshot.Clusters[name].Injected, w.snapshot.Clusters[name].Services = nil, nil
				w.snapshot.Clusters[name].Unreadable = []snapshot.Unreadable{{What: snapshot.InjectedNamespaces, Reason: "forbidden"}}
			}
		}, []string{"unknown service-asymmetric east", "unknown service-asymmetric south"}},
		{"a network of nobody's", "", func(w *world) {
			w.controlPlane().ConfigMap = "istio"
			w.east().Analysis = []snapshot.AnalysisMessage{{Code: "IST0126", Level: "Error", Kind: "MeshNetworks", Namespace: "istio-system", Name: "istio", Text: "Unknown service registry wset in network n"}}
		}, []string{"fail registry-unknown east"}},
		{"networks that can't be read", "", func(w *world) {
			w.controlPlane().ConfigMap = "istio"
			w.east().Analysis = []snapshot.AnalysisMessage{{Level: "Error", Kind: "MeshNetworks", Namespace: "istio-system", Name: "istio", Text: "no YAML"}}
		}, []string{"fail registry-unknown east"}},
		{"another trust domain", "", func(w *world) { w.controlPlane().TrustDomain = "example.org" },
			[]string{"fail trust-domain east", "fail trust-domain south", "fail trust-domain west"}},
		{"ztunnel", "", func(w *world) { w.west().Ambient = true }, []string{"warn mixed-ambient west"}},
		{"a clock that is late", "", func(w *world) { w.west().Clock.Ahead = -90 }, []string{"fail clock-skew west"}},
		{"this machine's clock is late", "", func(w *world) {
			for _, c := range w.snapshot.Clusters {
				c.Clock.Ahead = 90
			}
		}, nil},
		{"a namespace without the root", "", func(w *world) { delete(w.west().RootCerts, "shop") }, []string{"fail root-cm-missing west"}},
		{"a namespace without the root, and an istiod that has ended", "", func(w *world) {
			delete(w.west().RootCerts, "shop")
			w.west().RootWriter = "istiod-before"
		}, []string{"fail root-cm-missing west"}},
		{"a namespace without the root, and an istiod that runs", "", func(w *world) {
			delete(w.west().RootCerts, "shop")
			w.west().RootWriter = w.controlPlane().Replicas[0].Pod
		}, []string{"fail root-cm-missing west"}},
		{"a namespace without the root that is not selected", "", func(w *world) {
			w.selectNamespaces("mesh", "joined")
			delete(w.west().RootCerts, "shop")
			w.west().RootWriter = "istiod-before"
			w.west().InjectedLabels = map[string]map[string]string{"shop": {"istio-injection": "enabled"}}
		}, []string{"fail root-cm-missing west"}},
		{"a namespace without the root that is selected", "", func(w *world) {
			w.selectNamespaces("mesh", "joined")
			delete(w.west().RootCerts, "shop")
			w.west().InjectedLabels = map[string]map[string]string{"shop": {"istio-injection": "enabled", "mesh": "joined"}}
		}, []string{"fail root-cm-missing west"}},
		{"Istio's namespace is not selected", "", func(w *world) {
			w.selectNamespaces("mesh", "joined")
			w.west().RootCert = ""
		}, []string{"fail root-cm-missing west"}},
		{"Istio's namespace is not selected, whatever its labels", "", func(w *world) {
			w.selectNamespaces("kubernetes.io/metadata.name", "shop")
			w.west().RootCert = ""
		}, []string{"fail root-cm-missing west"}},
		{"no namespace is selected that has what it needs", "", func(w *world) { w.selectNamespaces("mesh", "joined") }, nil},
		{"a namespace with another root", "", func(w *world) { w.west().RootCerts["shop"] = "other" }, []string{"fail roots-differ west"}},
	}
}

func TestEvidence(t *testing.T) {
	t.Parallel()
	play(t, "evidence.txt", evidenceScenarios())
}
