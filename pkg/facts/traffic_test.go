package facts

import (
	"slices"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func TestOutcomeOf(t *testing.T) {
	t.Parallel()
	const west = "spiffe://cluster.local/ns/probe/sa/west"
	for _, test := range []struct {
		name   string
		change func(http, tcp *snapshot.Call)
		want   OutcomeKind
		// by is the protocol of the call that decided, or the cluster that answered in another's place.
		by string
	}{
		{"answered", func(_, _ *snapshot.Call) {}, Answered, ""},
		{"one is lost", func(http, _ *snapshot.Call) { http.Answered = 9 }, Lost, "http"},
		{"all are lost over TCP", func(_, tcp *snapshot.Call) { tcp.Answered = 0 }, Lost, "tcp"},
		{"another cluster answers", func(http, _ *snapshot.Call) { http.ByCluster = map[string]int{"south": 9, "north": 1} }, Misdirected, "north"},
		{"any cluster may answer", func(http, tcp *snapshot.Call) {
			http.To, tcp.To, http.ByCluster = "", "", map[string]int{"south": 9, "north": 1}
		}, Answered, ""},
		{"none was sent", func(_, tcp *snapshot.Call) { tcp.Sent, tcp.Answered = 0, 0 }, NotMade, "tcp"},
		{"nobody has an identity", func(http, _ *snapshot.Call) { http.Peers = []string{""} }, Unencrypted, ""},
		{"some have no identity", func(http, _ *snapshot.Call) { http.Peers = []string{"", west} }, Unencrypted, ""},
		{"no server told", func(http, _ *snapshot.Call) { http.Peers = nil }, Unencrypted, ""},
	} {
		http := snapshot.Call{From: "west", To: "south", Protocol: "http", Sent: 10, Answered: 10, ByCluster: map[string]int{"south": 10}, Peers: []string{west}}
		tcp := snapshot.Call{From: "west", To: "south", Protocol: "tcp", Sent: 10, Answered: 10, ByCluster: map[string]int{"south": 10}, Peers: []string{""}}
		test.change(&http, &tcp)
		got := OutcomeOf([]snapshot.Call{http, tcp})
		by := got.AnsweredBy
		if by == "" {
			by = got.Call.Protocol
		}
		if got.Kind != test.want || by != test.by {
			t.Errorf("%s: %s by %q, want %s by %q", test.name, got.Kind, by, test.want, test.by)
		}
		if got.Kind == Answered && !slices.Equal(got.Peers, []string{west}) {
			t.Errorf("%s: the caller is known as %q", test.name, got.Peers)
		}
	}
	if got := OutcomeOf(nil); got.Kind != NotMade {
		t.Errorf("without a call: %s", got.Kind)
	}
}
