package check

import (
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// networksScenarios are meshes of two networks.
func networksScenarios() []scenario {
	// apart puts west on a network of its own.
	apart := func(w *world) {
		w.cluster("west").Network, w.west().Namespace.Network = "network2", "network2"
		for i := range w.west().Injectors {
			w.west().Injectors[i].Paths = []string{"/inject/cluster/west/net/network2"}
		}
	}
	// connected publishes services of both networks to each other, as Istio's guide does.
	connected := func(w *world) {
		apart(w)
		labels := map[string]string{"istio": "eastwestgateway"}
		*w.gateway() = snapshot.Gateway{
			Name: "istio-eastwestgateway", Type: "LoadBalancer", Network: "network1", Address: "192.0.2.10", ReadyEndpoints: 1, CrossNetworkPort: 15443,
			Ports: []int32{15021, 15443, 15012, 15017}, Selector: labels,
		}
		w.west().Gateways = []snapshot.Gateway{{
			Name: "istio-eastwestgateway", Type: "LoadBalancer", Network: "network2", Address: "192.0.2.20", ReadyEndpoints: 1, CrossNetworkPort: 15443,
			Ports: []int32{15443}, Selector: labels,
		}}
		w.east().Passthrough = []snapshot.Passthrough{{Name: "cross-network-gateway", Selector: labels}}
	}
	// but changes a thing about connected networks.
	but := func(change func(w *world)) func(w *world) {
		return func(w *world) { connected(w); change(w) }
	}
	fails := []string{"fail network-unconnected west"}
	return []scenario{
		{
			name:   "two networks",
			change: apart,
			want:   fails,
		},
		{
			name: "two networks", command: BeforeAttach,
			change: apart,
			want:   fails,
		},
		{
			name: "two networks", command: "preflight",
			change: func(w *world) {
				apart(w)
				w.east().LoadBalancers.Served = 1
			},
			want: fails,
		},
		{
			name: "two networks, as the user wishes", command: BeforeAttach,
			change: func(w *world) {
				apart(w)
				w.mesh.Unconnected = true
			},
		},
		{
			name: "calls that can't cross",
			change: func(w *world) {
				apart(w)
				w.call("east", "west", "http").Answered, w.call("east", "west", "http").Error = 0, "HTTP 503: no healthy upstream"
			},
			want: fails,
		},
		{
			name: "two networks, and a remote to be attached again",
			change: func(w *world) {
				apart(w)
				w.west().ReaderToken.Filled = false
			},
			want: []string{"fail network-unconnected west", "fail token-missing west"},
		},
		{
			name:   "connected as Istio's guide does",
			change: connected,
		},
		{
			name: "connected as Istio's guide does", command: BeforeAttach,
			change: connected,
		},
		{
			name:   "connected by meshNetworks",
			change: but(func(w *world) { w.west().Gateways, w.controlPlane().GatewayNetworks = nil, []string{"network2"} }),
		},
		{
			name: "a gateway in another namespace, whose pods are not looked at",
			change: but(func(w *world) {
				elsewhere := w.west().Gateways[0]
				elsewhere.Namespace, elsewhere.ReadyEndpoints = "gateways", 0
				w.west().Gateways, w.west().NetworkGateways = nil, []snapshot.Gateway{elsewhere}
			}),
		},
		{
			name: "gateways of the Gateway API",
			change: but(func(w *world) {
				w.east().Passthrough = nil
				w.gateway().PublishesItself, w.west().Gateways[0].PublishesItself = true, true
			}),
		},
		{
			name:   "a gateway at a port of its own",
			change: but(func(w *world) { w.west().Gateways[0].CrossNetworkPort, w.west().Gateways[0].Ports = 443, []int32{443} }),
		},
		{
			name: "nobody may look for gateways elsewhere",
			change: func(w *world) {
				apart(w)
				w.west().Unreadable = couldNotRead(snapshot.NetworkGatewaysPart, "forbidden")
			},
			want: []string{"unknown network-unconnected west"},
		},
		{
			name:   "no gateway",
			change: but(func(w *world) { w.west().Gateways = nil }),
			want:   fails,
		},
		{
			name:   "a gateway without a label",
			change: but(func(w *world) { w.west().Gateways[0].Network = "" }),
			want:   fails,
		},
		{
			name:   "a gateway without an address",
			change: but(func(w *world) { w.west().Gateways[0].Address = "" }),
			want:   fails,
		},
		{
			name:   "a gateway without the port",
			change: but(func(w *world) { w.gateway().Ports = []int32{15012, 15017} }),
			want:   fails,
		},
		{
			name:   "a gateway without pods",
			change: but(func(w *world) { w.west().Gateways[0].ReadyEndpoints = 0 }),
			want:   fails,
		},
		{
			name:   "services are not published",
			change: but(func(w *world) { w.east().Passthrough = nil }),
			want:   fails,
		},
		{
			name:   "services are published elsewhere",
			change: but(func(w *world) { w.east().Passthrough[0].Selector = map[string]string{"istio": "other"} }),
			want:   fails,
		},
		{
			name: "nobody may look",
			change: func(w *world) {
				apart(w)
				w.east().Unreadable = couldNotRead(snapshot.PassthroughPart, "forbidden")
			},
			want: []string{"unknown network-unconnected west"},
		},
		{
			name: "nobody may look at the primary's network", command: "preflight",
			change: func(w *world) {
				w.east().Unreadable = couldNotRead(snapshot.ControlPlanes, "forbidden")
			},
			want: []string{"unknown adoptable east", "unknown network-unconnected south", "unknown network-unconnected west", "warn load-balancer east"},
		},
	}
}

// Clusters of different networks are told to be apart until something leads from one to the other, whoever has made it.
func TestNetworks(t *testing.T) {
	t.Parallel()
	play(t, "networks.txt", networksScenarios())
}
