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
		w.setSync("west", "timeout", "timeout")
	}
	return []scenario{
		{
			name: "no token",
			change: func(w *world) {
				w.west().ReaderToken = nil
				w.secret().Use = nil
			},
			want: []string{"fail token-missing west"},
		},
		{
			name:   "another token works",
			change: func(w *world) { w.west().ReaderToken = nil },
		},
		{
			name:   "an empty token",
			change: func(w *world) { w.west().ReaderToken.Filled = false },
			want:   []string{"fail token-missing west"},
		},
		{
			name:   "a token refused",
			change: use(snapshot.TokenRefused),
			want:   []string{"fail token-expired west"},
		},
		{
			name:   "another CA",
			change: use(snapshot.ServerUntrusted),
			want:   []string{"fail secret-ca west"},
		},
		{
			name:   "unreachable from here alone",
			change: use(snapshot.ServerUnreachable),
		},
		{
			name:   "this machine has no file descriptors left",
			change: use(snapshot.UseUnknown),
			want:   []string{"unknown secret-unreachable west"},
		},
		{
			name: "unreachable from everywhere",
			change: func(w *world) {
				use(snapshot.ServerUnreachable)(w)
				unsynced(w)
			},
			want: []string{"fail secret-unreachable west"},
		},
		{
			name: "a cluster that is gone",
			change: func(w *world) {
				use(snapshot.ServerUnreachable)(w)
				unsynced(w)
				delete(w.snapshot.Clusters, "west")
				w.cluster("west").Context = ""
				w.snapshot.Traffic = nil
			},
			want: []string{"unknown reachable west", "fail secret-stale west"},
		},
		{
			name: "a reader that may too little",
			change: func(w *world) {
				w.secret().Use.Denied = []snapshot.Permission{{Verb: "list", Resource: "configmaps"}, {Verb: "watch", Resource: "configmaps"}}
			},
			want: []string{"fail reader-rbac west"},
		},
		{
			name: "a reader that may not write",
			change: func(w *world) {
				w.secret().Use.Denied = []snapshot.Permission{{Verb: "create", Resource: "configmaps"}}
				w.west().Injectors[0].CABundles, w.west().RootCert = []string{""}, ""
			},
			want: []string{"fail reader-rbac west"},
		},
		{
			name:   "a stray secret",
			change: func(w *world) { w.east().StraySecrets = []string{"default/istio-remote-secret-west"} },
			want:   []string{"fail secret-namespace east"},
		},
		{
			name:   "another mesh id",
			change: func(w *world) { w.west().Installed["default"] = snapshot.Installed{MeshID: "mesh2"} },
			want:   []string{"fail mesh-id west"},
		},
		{
			name:   "overlapping pod ranges",
			change: func(w *world) { w.west().PodRanges = []string{"10.2.128.0/24"} },
			want:   []string{"fail network-overlap west"},
		},
		{
			name: "overlapping pod ranges of two networks",
			change: func(w *world) {
				w.west().PodRanges = []string{"10.2.128.0/24"}
				w.west().Namespace.Network, w.cluster("west").Network = "network2", "network2"
				for i := range w.west().Injectors {
					w.west().Injectors[i].Paths = []string{"/inject/cluster/west/net/network2"}
				}
			},
			want: []string{"fail network-unconnected west"},
		},
		{
			name:   "one port closed",
			change: func(w *world) { w.east().Ports[0] = snapshot.Port{Number: 15012, Error: "connection refused"} },
			want:   []string{"fail firewall east"},
		},
		{
			name: "all ports closed to this machine alone",
			change: func(w *world) {
				w.east().Ports = []snapshot.Port{{Number: 15012, Error: "timeout"}, {Number: 15017, Error: "timeout"}}
			},
		},
		{
			name: "the webhook's port closed",
			change: func(w *world) {
				w.east().Ports[1] = snapshot.Port{Number: 15017, Error: "connection refused"}
				w.west().Injection.Error = "connection refused"
			},
			want: []string{"fail firewall east"},
		},
		{
			name:   "somebody else at the gateway",
			change: func(w *world) { w.east().Ports[1].Trusted = false },
			want:   []string{"fail gateway-trust east"},
		},
		{
			name:   "no injection",
			change: func(w *world) { w.west().Injection.Error = "no webhook was called" },
			want:   []string{"fail injection west"},
		},
		{
			name: "no answer to the API server alone",
			change: func(w *world) {
				w.west().Injection.Error = "Internal error occurred: failed calling webhook: context deadline exceeded"
			},
			want: []string{"fail injection west"},
		},
		{
			name:   "no injection in the primary",
			change: func(w *world) { w.east().Injection.Error = "no webhook was called" },
			want:   []string{"fail injection east"},
		},
		{
			name:   "a gateway that was not injected",
			change: func(w *world) { w.east().UninjectedGateways = []string{"istio-eastwestgateway-x"} },
			want:   []string{"fail injection-not-ready east"},
		},
		{
			name:   "a sidecar that refuses",
			change: func(w *world) { w.controlPlane().Replicas[0].Proxies[0].Rejected = "duplicate listener" },
			want:   []string{"fail proxies west"},
		},
		{
			name:   "a sidecar of an older release",
			change: func(w *world) { w.controlPlane().Replicas[0].Proxies[0].Version = "1.27.3" },
			want:   []string{"warn proxies west"},
		},
		{
			name:   "a proxy of nowhere",
			change: func(w *world) { w.controlPlane().Replicas[0].Proxies[0].Cluster = "nowhere" },
			want:   []string{"fail unknown-cluster east"},
		},
		{
			name: "an injector that nobody serves",
			change: func(w *world) {
				w.west().Injectors = append(w.west().Injectors, snapshot.Injector{Name: "istio-sidecar-injector-old", Revision: "old", CABundles: []string{"x"}})
			},
			want: []string{"warn leftover west"},
		},
		{
			name: "a Service that is missing",
			change: func(w *world) {
				w.east().Services = map[string][]string{"shop": {"cart"}}
				w.snapshot.Clusters["south"].Services = map[string][]string{"shop": {"cart"}}
			},
			want: []string{"warn service-asymmetric west"},
		},
		{
			name: "Istio's own namespace asks for sidecars",
			change: func(w *world) {
				for _, c := range w.snapshot.Clusters {
					c.Injected = append(c.Injected, "istio-system")
				}
				w.east().Services = map[string][]string{"istio-system": {"istio-eastwestgateway"}}
			},
		},
		{
			name: "a headless Service that is missing",
			change: func(w *world) {
				w.east().Services, w.east().Headless = map[string][]string{"shop": {"cart"}}, []string{"shop/cart"}
				w.snapshot.Clusters["south"].Services = map[string][]string{"shop": {"cart"}}
			},
			want: []string{"warn service-asymmetric west"},
		},
		{
			name: "a Service of a namespace that is not shared",
			change: func(w *world) {
				w.east().Injected = append(w.east().Injected, "office")
				w.east().RootCerts["office"] = "root"
				w.east().Services = map[string][]string{"office": {"desk"}}
			},
		},
		{
			name: "a Service with other ports",
			change: func(w *world) {
				w.west().Analysis = []snapshot.AnalysisMessage{
					{Code: "IST0170", Level: "Warning", Kind: "Service", Namespace: "shop", Name: "cart", Clusters: []string{"east", "west"}, Text: "The service cart is inconsistent"},
					{Code: "IST0170", Level: "Warning", Kind: "Service", Namespace: "shop", Name: "desk", Clusters: []string{"east", "west"}, Text: "The service desk is inconsistent"},
				}
			},
			want: []string{"warn service-inconsistent west"},
		},
		{
			name: "Services of one cluster alone could be read",
			change: func(w *world) {
				for _, name := range []string{"east", "south"} {
					w.snapshot.Clusters[name].Injected, w.snapshot.Clusters[name].Services = nil, nil
					w.snapshot.Clusters[name].Unreadable = couldNotRead(snapshot.InjectedNamespaces, "forbidden")
				}
			},
			want: []string{"unknown service-asymmetric east", "unknown service-asymmetric south"},
		},
		{
			name: "a network of nobody's",
			change: func(w *world) {
				w.controlPlane().ConfigMap = "istio"
				w.east().Analysis = []snapshot.AnalysisMessage{{Code: "IST0126", Level: "Error", Kind: "MeshNetworks", Namespace: "istio-system", Name: "istio", Text: "Unknown service registry wset in network n"}}
			},
			want: []string{"fail registry-unknown east"},
		},
		{
			name: "networks that can't be read",
			change: func(w *world) {
				w.controlPlane().ConfigMap = "istio"
				w.east().Analysis = []snapshot.AnalysisMessage{{Level: "Error", Kind: "MeshNetworks", Namespace: "istio-system", Name: "istio", Text: "no YAML"}}
			},
			want: []string{"fail registry-unknown east"},
		},
		{
			name:   "another trust domain",
			change: func(w *world) { w.controlPlane().TrustDomain = "example.org" },
			want:   []string{"fail trust-domain east", "fail trust-domain south", "fail trust-domain west"},
		},
		{
			name:   "ztunnel",
			change: func(w *world) { w.west().Ambient = true },
			want:   []string{"warn mixed-ambient west"},
		},
		{
			name:   "a clock that is late",
			change: func(w *world) { w.west().Clock.Ahead = -90 },
			want:   []string{"fail clock-skew west"},
		},
		{
			name: "this machine's clock is late",
			change: func(w *world) {
				for _, c := range w.snapshot.Clusters {
					c.Clock.Ahead = 90
				}
			},
		},
		{
			name:   "a namespace without the root",
			change: func(w *world) { delete(w.west().RootCerts, "shop") },
			want:   []string{"fail root-cm-missing west"},
		},
		{
			name: "a namespace without the root, and an istiod that has ended",
			change: func(w *world) {
				delete(w.west().RootCerts, "shop")
				w.west().RootWriter = "istiod-before"
			},
			want: []string{"fail root-cm-missing west"},
		},
		{
			name: "a namespace without the root, and an istiod that runs",
			change: func(w *world) {
				delete(w.west().RootCerts, "shop")
				w.west().RootWriter = w.controlPlane().Replicas[0].Pod
			},
			want: []string{"fail root-cm-missing west"},
		},
		{
			name: "a namespace without the root that is not selected",
			change: func(w *world) {
				w.selectNamespaces("mesh", "joined")
				delete(w.west().RootCerts, "shop")
				w.west().RootWriter = "istiod-before"
				w.west().InjectedLabels = map[string]map[string]string{"shop": {"istio-injection": "enabled"}}
			},
			want: []string{"fail root-cm-missing west"},
		},
		{
			name: "a namespace without the root that is selected",
			change: func(w *world) {
				w.selectNamespaces("mesh", "joined")
				delete(w.west().RootCerts, "shop")
				w.west().InjectedLabels = map[string]map[string]string{"shop": {"istio-injection": "enabled", "mesh": "joined"}}
			},
			want: []string{"fail root-cm-missing west"},
		},
		{
			name: "Istio's namespace is not selected",
			change: func(w *world) {
				w.selectNamespaces("mesh", "joined")
				w.west().RootCert = ""
			},
			want: []string{"fail root-cm-missing west"},
		},
		{
			name: "Istio's namespace is not selected, whatever its labels",
			change: func(w *world) {
				w.selectNamespaces("kubernetes.io/metadata.name", "shop")
				w.west().RootCert = ""
			},
			want: []string{"fail root-cm-missing west"},
		},
		{
			name:   "no namespace is selected that has what it needs",
			change: func(w *world) { w.selectNamespaces("mesh", "joined") },
		},
		{
			name:   "a namespace with another root",
			change: func(w *world) { w.west().RootCerts["shop"] = "other" },
			want:   []string{"fail roots-differ west"},
		},
	}
}

func TestEvidence(t *testing.T) {
	t.Parallel()
	play(t, "evidence.txt", evidenceScenarios())
}
