package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// probeReady: a probe runs in every cluster that can run one.
func probeReady(v view) []Result {
	if v.snapshot.Traffic == nil {
		return nil
	}
	return v.each(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		reason, unready := v.snapshot.Traffic.Unready[c.Name]
		if need := v.shutOut(c, snapshot.ToIstiod); unready && need != "" {
			return skip("needs " + need)
		}
		undialled := v.snapshot.Traffic.Undialled[c.Name]
		plane, _ := v.plane()
		_, discoverable := plane.DiscoverySelectors.Lacking(map[string]string{corev1.LabelMetadataName: v.snapshot.Traffic.Namespace})
		switch {
		case slices.Contains(v.snapshot.Traffic.Unprobed, c.Name):
			return []Result{{Status: Unknown, Seen: "could not be probed: " + reason}}
		case slices.Contains(v.snapshot.Traffic.Unpullable, c.Name):
			return fail(advice("name with --probe-image an image that this cluster can pull: make probe builds the program for one").
				and(v.look(c, "get", "events", "-A", "--field-selector", "type=Warning")), "%s", reason)
		case unready && !discoverable:
			return fail(v.otherSelectors(), "%s", reason)
		case unready && reason == undialled: // it is no matter of sidecars
			return fail(v.look(c, "get", "networkpolicy", "-A"), "%s", reason)
		case unready:
			return fail(v.verify("--traffic", "--keep").and(v.look(c, "get", "events", "-A", "--field-selector", "type=Warning")), "%s", reason)
		case undialled != "":
			return []Result{{Status: Unknown, Seen: "could not call from a pod without a sidecar: " + undialled}}
		}
		if r := blind(seen, snapshot.Nodes); r != nil {
			return r
		}
		if seen.Secret != "" {
			return []Result{{Status: Unknown, Seen: "no context leads to this cluster, and istiod's credentials can start nothing here"}}
		}
		if seen.Nodes == 0 {
			return skip("there is no node: nothing can run here")
		}
		if seen.ReadyNodes == 0 {
			return fail(v.look(c, "get", "nodes"), "0 of %d nodes can run a pod: all are not ready, or cordoned", seen.Nodes)
		}
		return pass("a pod with its sidecar is ready")
	})
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
			if len(calls) == 0 && (!v.probed(from) || !v.probed(to)) {
				continue // probe-ready has said why
			}
			for _, r := range judgePair(v, from, to, calls) {
				if r.Status == Fail && v.unconnected(from, to) {
					r = skip("needs network-unconnected")[0]
				}
				r.Cluster, r.To = label(from), label(to)
				results = append(results, r)
			}
		}
	}
	return results
}

// probed is true for a cluster in which a probe runs.
func (v view) probed(c mesh.Cluster) bool {
	_, unready := v.snapshot.Traffic.Unready[c.Name]
	seen := v.snapshot.Clusters[c.Name]
	return !unready && seen != nil && seen.Secret == "" && seen.ReadyNodes > 0
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

func judgePair(v view, from, to mesh.Cluster, calls []snapshot.Call) []Result {
	if len(calls) == 0 {
		return []Result{{Status: Unknown, Seen: fmt.Sprintf("→ %s: no call was made", to.Name)}}
	}
	var protocols, peers, plain []string
	answered := 0
	var p50, p99 time.Duration
	for _, c := range calls {
		if c.Sent == 0 {
			return []Result{{Status: Unknown, Seen: fmt.Sprintf("→ %s: no %s call was made", to.Name, c.Protocol)}}
		}
		if c.Answered < c.Sent {
			var whole []string
			for _, other := range calls {
				if other.Sent > 0 && other.Answered == other.Sent {
					whole = append(whole, other.Protocol)
				}
			}
			likely, fix := v.explain(broken{c, from, to, whole})
			return fail(fix, "→ %s: %d of %d %s calls were answered: %s%s", to.Name, c.Answered, c.Sent, c.Protocol, c.Error, likely)
		}
		for _, by := range slices.Sorted(maps.Keys(c.ByCluster)) {
			if by != to.Name {
				return fail(advice("see which endpoints a pod of %s has", from.Name).and(v.istioctl(from, "proxy-config", "endpoints", "POD.NAMESPACE").fill("POD.NAMESPACE")),
					"→ %s: a Service with endpoints there alone was answered by %s", to.Name, by)
			}
		}
		protocols = append(protocols, c.Protocol)
		answered += c.Answered
		p50, p99 = max(p50, c.P50), max(p99, c.P99)
		peers = append(peers, c.Peers...)
		if c.Protocol != "tcp" && slices.Contains(c.Peers, "") { // over TCP nobody can tell
			plain = append(plain, c.Protocol)
		}
	}
	slices.Sort(peers)
	peers = slices.DeleteFunc(slices.Compact(peers), func(p string) bool { return p == "" })
	seenAs := "seen without an identity: not over mutual TLS"
	switch {
	case len(peers) > 0 && len(plain) > 0:
		seenAs = fmt.Sprintf("as %s, but over %s also without an identity: not over mutual TLS",
			strings.Join(peers, ", "), strings.Join(plain, ", "))
	case len(peers) > 0:
		seenAs = "as " + strings.Join(peers, ", ")
	}
	text := fmt.Sprintf("→ %s: %d calls (%s) %s, p50 %s, p99 %s", to.Name, answered, strings.Join(protocols, ", "), seenAs, rounded(p50), rounded(p99))
	if len(peers) == 0 || len(plain) > 0 {
		return warn(v.look(v.thePrimary(), "get", "peerauthentication,destinationrule", "-A"), "%s", text)
	}
	return pass("%s", text)
}

// spread: a Service with endpoints in all clusters is answered by all of them.
func spread(v view) []Result {
	if v.snapshot.Traffic == nil {
		return nil
	}
	ready := map[string]bool{}
	for _, c := range v.snapshot.Traffic.Calls {
		ready[c.From] = true
	}
	var results []Result
	for _, from := range v.mesh.Clusters {
		for _, c := range v.calls(from.Name, "") {
			if c.Answered < c.Sent {
				r := fail(advice("see traffic; if that passes, look at the sidecar's log of the caller"),
					"%d of %d calls to one Service in all clusters were answered: %s", c.Answered, c.Sent, c.Error)[0]
				r.Cluster = label(from)
				results = append(results, r)
				continue
			}
			var shares, silent []string
			for _, to := range v.mesh.Clusters {
				switch n := c.ByCluster[to.Name]; {
				case n > 0:
					shares = append(shares, fmt.Sprintf("%s %d", to.Name, n))
				case ready[to.Name]:
					silent = append(silent, to.Name)
				}
			}
			r := pass("of %d calls to one Service in all clusters: %s", c.Sent, strings.Join(shares, ", "))[0]
			if len(silent) > 0 {
				r = warn(advice("a locality or weight may want it so (DestinationRule); otherwise see traffic"),
					"of %d calls to one Service in all clusters none was answered by %s (%s)", c.Sent, strings.Join(silent, ", "), strings.Join(shares, ", "))[0]
			}
			r.Cluster = label(from)
			results = append(results, r)
		}
	}
	return results
}

// rounded writes a latency as people read it.
func rounded(d time.Duration) string {
	if d < 10*time.Millisecond {
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}
