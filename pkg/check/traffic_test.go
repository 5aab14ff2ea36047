package check

import (
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func trafficScenarios() []scenario {
	lost := func(text string) func(w *world) {
		return func(w *world) {
			for _, protocol := range []string{"http", "grpc", "tcp"} {
				c := w.call("west", "south", protocol)
				c.Answered, c.ByCluster, c.Error = 3, map[string]int{"south": 3}, text
			}
		}
	}
	broken := []string{"fail traffic west"}
	return []scenario{
		{
			name: "no probe in one cluster",
			change: func(w *world) {
				w.snapshot.Traffic = quickTraffic([]string{"east", "south"})
				w.snapshot.Traffic.Unready = map[string]string{"west": "pod mesh-probe in kubectl-mesh-probe-x was not ready within 1m30s: container istio-proxy is not ready"}
			},
			want: []string{"fail probe-ready west"},
		},
		{
			name: "no image in one cluster",
			change: func(w *world) {
				w.snapshot.Traffic = quickTraffic([]string{"east", "south"})
				w.snapshot.Traffic.Unready = map[string]string{"west": "image x/mesh-probe:1: ErrImagePull: x/mesh-probe:1: not found"}
				w.snapshot.Traffic.Undialled = w.snapshot.Traffic.Unready
				w.snapshot.Traffic.Unpullable = []string{"west"}
			},
			want: []string{"fail probe-ready west"},
		},
		{
			name: "no answer of an API server",
			change: func(w *world) {
				w.snapshot.Traffic = quickTraffic([]string{"east", "south"})
				w.snapshot.Traffic.Unready = map[string]string{"west": "create the probe's pod: the connection was closed before an answer came"}
				w.snapshot.Traffic.Unprobed = []string{"west"}
			},
			want: []string{"unknown probe-ready west"},
		},
		{
			name: "no namespace that istiod would look at",
			change: func(w *world) {
				w.selectNamespaces("kubernetes.io/metadata.name", "shop")
				w.snapshot.Traffic = quickTraffic([]string{"east", "south"})
				w.snapshot.Traffic.Unready = map[string]string{"west": "none of the mesh's discoverySelectors selects a new namespace such as mesh-probe, whatever label it is given"}
			},
			want: []string{"fail probe-ready west"},
		},
		{
			name: "no node in one cluster",
			change: func(w *world) {
				w.snapshot.Traffic = quickTraffic([]string{"east", "south"})
				w.west().Nodes, w.west().ReadyNodes = 0, 0
			},
		},
		{
			name: "no node that is ready in one cluster",
			change: func(w *world) {
				w.snapshot.Traffic = quickTraffic([]string{"east", "south"})
				w.west().ReadyNodes = 0
			},
			want: []string{"fail probe-ready west"},
		},
		{
			name:   "no name",
			change: lost("dial tcp: lookup s.ns.svc.cluster.local on 10.0.0.10:53: no such host"),
			want:   broken,
		},
		{
			name:   "no DNS",
			change: lost("dial tcp: lookup s.ns.svc.cluster.local on 10.0.0.10:53: read udp 10.0.0.7:3->10.0.0.10:53: i/o timeout"),
			want:   broken,
		},
		{
			name:   "no trust",
			change: lost("upstream connect error: TLS_error: CERTIFICATE_VERIFY_FAILED"),
			want:   broken,
		},
		{
			name:   "mutual TLS that is not taken",
			change: lost("HTTP 503: upstream connect error or disconnect/reset before headers. retried and the latest reset reason: remote connection failure, transport failure reason: TLS_error:|268435703:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end"),
			want:   broken,
		},
		{
			name:   "mutual TLS that is not offered",
			change: lost("HTTP 503: upstream connect error or disconnect/reset before headers. reset reason: connection termination"),
			want:   broken,
		},
		{
			name:   "not allowed",
			change: lost("HTTP 403: RBAC: access denied"),
			want:   broken,
		},
		{
			name: "not allowed by whom is known",
			change: func(w *world) {
				lost("HTTP 403: RBAC: access denied")(w)
				w.snapshot.Traffic.Policies = []snapshot.Policy{
					{Namespace: "istio-system", Name: "ask-first", Action: "ALLOW", Probes: true, Gateway: true},
					{Namespace: "istio-system", Name: "gateway-only", Action: "DENY", Gateway: true},
					{Namespace: "istio-system", Name: "no-strangers", Action: "DENY", Probes: true, Gateway: true},
					{Namespace: "mesh-probe", Name: "ask-opa", Action: "CUSTOM", Probes: true},
				}
			},
			want: broken,
		},
		{
			name:   "no endpoint",
			change: lost("HTTP 503: no healthy upstream"),
			want:   broken,
		},
		{
			name:   "an endpoint that is somebody else",
			change: lost("HTTP 503: upstream connect error or disconnect/reset before headers. retried and the latest reset reason: remote connection failure, transport failure reason: delayed connect error: Connection refused"),
			want:   broken,
		},
		{
			name:   "a Service that the sidecar does not know",
			change: lost("read tcp 10.141.0.53:40166->10.203.129.88:8080: read: connection reset by peer"),
			want:   broken,
		},
		{
			name:   "no route",
			change: lost("HTTP 503: upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport failure reason: delayed connect error: No route to host"),
			want:   broken,
		},
		{
			name:   "no answer",
			change: lost("context deadline exceeded"),
			want:   broken,
		},
		{
			name: "no answer over TCP alone",
			change: func(w *world) {
				c := w.call("west", "south", "tcp")
				c.Answered, c.ByCluster, c.Error = 0, nil, "the connection was opened and then broke: read tcp 10.0.0.1:2->10.0.0.3:8082: i/o timeout"
			},
			want: broken,
		},
		{
			name:   "no idea",
			change: lost("HTTP 500: something"),
			want:   broken,
		},
		{
			name: "not one call",
			change: func(w *world) {
				c := w.call("west", "south", "grpc")
				c.Sent, c.Answered, c.ByCluster, c.Peers = 0, 0, nil, nil
			},
			want: []string{"unknown traffic west"},
		},
		{
			name:   "another cluster answers",
			change: func(w *world) { w.call("west", "south", "http").ByCluster = map[string]int{"south": 9, "east": 1} },
			want:   broken,
		},
		{
			name: "no mutual TLS",
			change: func(w *world) {
				w.call("west", "south", "http").Peers, w.call("west", "south", "grpc").Peers = []string{""}, []string{""}
			},
			want: []string{"warn traffic west"},
		},
		{
			name: "no mutual TLS for some",
			change: func(w *world) {
				w.call("west", "south", "http").Peers = []string{"", "spiffe://cluster.local/ns/mesh-probe/sa/west"}
			},
			want: []string{"warn traffic west"},
		},
		{
			name:   "a cluster never answers for all",
			change: func(w *world) { w.call("west", "", "http").ByCluster = map[string]int{"west": 20, "east": 10} },
			want:   []string{"warn spread west"},
		},
		{
			name: "calls to all are lost",
			change: func(w *world) {
				c := w.call("west", "", "http")
				c.Answered, c.ByCluster, c.Error = 10, map[string]int{"west": 5, "east": 3, "south": 2}, "HTTP 503"
			},
			want: []string{"fail spread west"},
		},
		{
			name: "calls to all are lost as others are",
			change: func(w *world) {
				lost("EOF")(w)
				c := w.call("west", "", "http")
				c.Answered, c.ByCluster, c.Error = 0, nil, "EOF"
			},
			want: broken,
		},
	}
}

func TestTraffic(t *testing.T) {
	t.Parallel()
	play(t, "traffic.txt", trafficScenarios())
}

// A cluster without a probe is not among those that should have answered.
func TestSpreadAsksOnlyWhoHasAProbe(t *testing.T) {
	t.Parallel()
	w := healthy()
	w.snapshot.Traffic = quickTraffic([]string{"east", "south"})
	w.snapshot.Traffic.Unready = map[string]string{"west": "no pod"}
	spreads := 0
	for _, r := range Verify(w.mesh, w.snapshot, w.charts, command.Caller{}) {
		if r.ID == "spread" {
			spreads++
			if r.Status != Pass || r.Seen != "of 30 calls to one Service in all clusters: east 15, south 15" {
				t.Errorf("%s: %s %s", r.Cluster, r.Status, r.Seen)
			}
		}
	}
	if spreads != 2 {
		t.Errorf("%d clusters asked, want 2", spreads)
	}
}

func TestNothingIsSaidOfTrafficThatWasNotSent(t *testing.T) {
	t.Parallel()
	w := healthy()
	w.snapshot.Traffic = nil
	for _, r := range Verify(w.mesh, w.snapshot, w.charts, command.Caller{}) {
		if r.ID == "probe-ready" || r.ID == "traffic" || r.ID == "spread" {
			t.Errorf("without --traffic: %+v", r)
		}
	}
}

func TestCallsThatShouldHaveBeenMade(t *testing.T) {
	t.Parallel()
	w := healthy()
	w.snapshot.Traffic = &snapshot.Traffic{}
	if worst := Worst(Verify(w.mesh, w.snapshot, w.charts, command.Caller{})); worst != Unknown {
		t.Errorf("probes run everywhere and made no call: it comes to %s", worst)
	}
}
