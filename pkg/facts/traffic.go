package facts

import (
	"maps"
	"slices"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Outcome is what came of calls from one cluster to another, or to the Service that has endpoints in all of them.
type Outcome struct {
	Kind OutcomeKind
	// Call is the one that decided, where one did.
	Call snapshot.Call
	// AnsweredBy is the cluster that answered in place of the one that was called, if one did.
	AnsweredBy string
	// Peers are the identities of the caller that servers saw, sorted; Anonymous are the protocols over which they saw none.
	Peers, Anonymous []string
}

// OutcomeKind is how it went.
type OutcomeKind string

// How calls can go.
const (
	// Answered: all of them were, over mutual TLS.
	Answered OutcomeKind = "answered"
	// Unencrypted: all of them were answered, and some not over mutual TLS.
	Unencrypted OutcomeKind = "unencrypted"
	// Lost: not all of them were answered.
	Lost OutcomeKind = "lost"
	// Misdirected: another cluster than the one that was called has answered.
	Misdirected OutcomeKind = "misdirected"
	// NotMade: nobody called.
	NotMade OutcomeKind = "not made"
)

// OutcomeOf is that of all calls from one cluster to one Service, a call for each protocol.
func OutcomeOf(calls []snapshot.Call) Outcome {
	if len(calls) == 0 {
		return Outcome{Kind: NotMade}
	}
	var o Outcome
	for _, c := range calls {
		switch by := unexpected(c); {
		case c.Sent == 0:
			return Outcome{Kind: NotMade, Call: c}
		case c.Answered < c.Sent:
			return Outcome{Kind: Lost, Call: c}
		case len(by) > 0:
			return Outcome{Kind: Misdirected, Call: c, AnsweredBy: by[0]}
		}
		o.Peers = append(o.Peers, c.Peers...)
		if c.Protocol != "tcp" && slices.Contains(c.Peers, "") { // over TCP nobody can tell
			o.Anonymous = append(o.Anonymous, c.Protocol)
		}
	}
	slices.Sort(o.Peers)
	o.Peers = slices.DeleteFunc(slices.Compact(o.Peers), func(peer string) bool { return peer == "" })
	o.Kind = Answered
	if len(o.Peers) == 0 || len(o.Anonymous) > 0 {
		o.Kind = Unencrypted
	}
	return o
}

// unexpected are the clusters that answered a call and have no endpoint of the Service, sorted.
func unexpected(c snapshot.Call) []string {
	if c.To == "" {
		return nil
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(c.ByCluster)), func(by string) bool { return by == c.To })
}
