package check

import (
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func trafficCheck() Check {
	return Check{
		ID: "traffic", Subject: OfCalls, Category: Traffic,
		Title:  "every cluster's pods reach every cluster's, over mutual TLS",
		Verify: true,
		Needs:  []string{"probe-ready"},
		Why: `Calls from one cluster's pods to another's failed, went to a wrong cluster, or (a warning) came without mutual TLS.
			The result says at which link it broke as far as the error tells: name, endpoint, handshake, route or policy.`,
		Fix:   `It depends on the link: the result names it, with a command.`,
		judge: traffic,
	}
}

// traffic: every cluster's probe reaches every other's, over mutual TLS.
func traffic(v view) []Result {
	if v.snapshot.Traffic == nil {
		return nil
	}
	var results []Result
	for _, from := range v.mesh.Clusters {
		for _, to := range v.mesh.Clusters {
			calls := v.calls(from.Name, to.Name)
			if len(calls) == 0 && (!v.hasProbe(from) || !v.hasProbe(to)) {
				continue // probe-ready has said why
			}
			for _, r := range judgePair(v, from, to, calls) {
				if r.Status == Fail && v.unconnected(from, to) {
					r = needs("network-unconnected")[0]
				}
				r.Cluster, r.To = label(from), label(to)
				results = append(results, r)
			}
		}
	}
	return results
}

func judgePair(v view, from, to mesh.Cluster, calls []snapshot.Call) []Result {
	outcome := facts.OutcomeOf(calls)
	decisive := outcome.Call
	switch outcome.Kind {
	case facts.NotMade:
		if len(calls) == 0 {
			return unknown(Fix{}, "→ %s: no call was made", to.Name)
		}
		return unknown(Fix{}, "→ %s: no %s call was made", to.Name, decisive.Protocol)
	case facts.Lost:
		likely, fix := v.explainFailure(failedCall{decisive, from, to, wholeProtocols(calls)})
		return fail(fix, "→ %s: %d of %d %s calls were answered: %s%s", to.Name, decisive.Answered, decisive.Sent, decisive.Protocol, decisive.Error, likely)
	case facts.Misdirected:
		return fail(advice("see which endpoints a pod of %s has", from.Name).and(v.istioctl(from, "proxy-config", "endpoints", "POD.NAMESPACE").fill("POD.NAMESPACE")),
			"→ %s: a Service with endpoints there alone was answered by %s", to.Name, outcome.AnsweredBy)
	}
	text := fmt.Sprintf("→ %s: %s", to.Name, describeAnswers(calls, outcome))
	if outcome.Kind == facts.Unencrypted {
		return warn(v.inspect(v.home, "get", "peerauthentication,destinationrule", "-A"), "%s", text)
	}
	return pass("%s", text)
}

// wholeProtocols are those in which all calls were answered.
func wholeProtocols(calls []snapshot.Call) []string {
	var whole []string
	for _, c := range calls {
		if c.Sent > 0 && c.Answered == c.Sent {
			whole = append(whole, c.Protocol)
		}
	}
	return whole
}

// describeAnswers says of calls that were answered how many, as whom the caller was seen, and how long they took.
func describeAnswers(calls []snapshot.Call, outcome facts.Outcome) string {
	var protocols []string
	answered := 0
	var p50, p99 time.Duration
	for _, c := range calls {
		protocols = append(protocols, c.Protocol)
		answered += c.Answered
		p50, p99 = max(p50, c.P50), max(p99, c.P99)
	}
	seenAs := "seen without an identity: not over mutual TLS"
	switch {
	case len(outcome.Peers) > 0 && len(outcome.Anonymous) > 0:
		seenAs = fmt.Sprintf("as %s, but over %s also without an identity: not over mutual TLS",
			strings.Join(outcome.Peers, ", "), strings.Join(outcome.Anonymous, ", "))
	case len(outcome.Peers) > 0:
		seenAs = "as " + strings.Join(outcome.Peers, ", ")
	}
	return fmt.Sprintf("%d calls (%s) %s, p50 %s, p99 %s", answered, strings.Join(protocols, ", "), seenAs, rounded(p50), rounded(p99))
}

func (v view) calls(from, to string) []snapshot.Call {
	var calls []snapshot.Call
	for _, c := range v.snapshot.Traffic.Calls {
		if c.From == from && c.To == to {
			calls = append(calls, c)
		}
	}
	return calls
}

// rounded writes a latency as people read it.
func rounded(d time.Duration) string {
	if d < 10*time.Millisecond {
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}
