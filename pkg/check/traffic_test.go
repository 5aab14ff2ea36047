package check

import (
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
)

func trafficScenarios() []scenario {
	lost := func(text string) func(w *world) {
		return func(w *world) {
			c := w.call("west", "south", "grpc")
			c.Answered, c.ByCluster, c.Error = 3, map[string]int{"south": 3}, text
		}
	}
	broken := []string{"fail traffic west"}
	return []scenario{
		{"no probe in one cluster", "", func(w *world) {
			w.snapshot.Traffic = quickTraffic([]string{"east", "south"})
			w.snapshot.Traffic.Unready = map[string]string{"west": "the pod's image can't be pulled"}
		}, []string{"fail probe-ready west"}},
		{"no node in one cluster", "", func(w *world) {
			w.snapshot.Traffic = quickTraffic([]string{"east", "south"})
			w.west().ReadyNodes = 0
		}, nil},
		{"no name", "", lost("dial tcp: lookup s.ns.svc.cluster.local: no such host"), broken},
		{"no trust", "", lost("upstream connect error: TLS_error: CERTIFICATE_VERIFY_FAILED"), broken},
		{"not allowed", "", lost("HTTP 403: RBAC: access denied"), broken},
		{"no endpoint", "", lost("HTTP 503: no healthy upstream"), broken},
		{"no route", "", lost("upstream request timeout: delayed_connect_error: 113"), broken},
		{"no idea", "", lost("EOF"), broken},
		{"not one call", "", func(w *world) {
			c := w.call("west", "south", "grpc")
			c.Sent, c.Answered, c.ByCluster, c.Peers = 0, 0, nil, nil
		},
			[]string{"unknown traffic west"}},
		{"another cluster answers", "", func(w *world) { w.call("west", "south", "http").ByCluster = map[string]int{"south": 9, "east": 1} }, broken},
		{"no mutual TLS", "", func(w *world) {
			w.call("west", "south", "http").Peers, w.call("west", "south", "grpc").Peers = []string{""}, []string{""}
		}, []string{"warn traffic west"}},
		{"no mutual TLS for some", "", func(w *world) {
			w.call("west", "south", "http").Peers = []string{"", "spiffe://cluster.local/ns/mesh-probe/sa/west"}
		}, []string{"warn traffic west"}},
		{"a cluster never answers for all", "", func(w *world) { w.call("west", "", "http").ByCluster = map[string]int{"west": 20, "east": 10} }, []string{"warn spread west"}},
		{"calls to all are lost", "", func(w *world) {
			c := w.call("west", "", "http")
			c.Answered, c.ByCluster, c.Error = 10, map[string]int{"west": 5, "east": 3, "south": 2}, "HTTP 503"
		}, []string{"fail spread west"}},
		{"calls to all are lost as others are", "", func(w *world) {
			lost("EOF")(w)
			c := w.call("west", "", "http")
			c.Answered, c.ByCluster, c.Error = 0, nil, "EOF"
		}, broken},
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
	for _, r := range Verify(w.mesh, w.snapshot, w.charts) {
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
	for _, r := range Verify(w.mesh, w.snapshot, w.charts) {
		if r.ID == "probe-ready" || r.ID == "traffic" || r.ID == "spread" {
			t.Errorf("without --traffic: %+v", r)
		}
	}
}

func TestCallsThatShouldHaveBeenMade(t *testing.T) {
	t.Parallel()
	w := healthy()
	w.snapshot.Traffic = &observe.Traffic{}
	if worst := Worst(Verify(w.mesh, w.snapshot, w.charts)); worst != Unknown {
		t.Errorf("probes run everywhere and made no call: it comes to %s", worst)
	}
}
