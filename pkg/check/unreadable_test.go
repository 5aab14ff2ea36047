package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// part is a part of a cluster with how it looks when it could not be read.
type part struct {
	name  string
	blank func(c *snapshot.Cluster)
}

func parts() []part {
	return []part{
		{snapshot.Identity, func(c *snapshot.Cluster) { c.UID = "" }},
		{snapshot.KubernetesVersion, func(c *snapshot.Cluster) { c.KubernetesVersion = "" }},
		{snapshot.CertificateAuthority, func(c *snapshot.Cluster) { c.CA = "" }},
		{snapshot.IstioNamespace, func(c *snapshot.Cluster) { c.Namespace = nil }},
		{snapshot.ControlPlanes, func(c *snapshot.Cluster) { c.ControlPlanes = nil }},
		{snapshot.Injectors, func(c *snapshot.Cluster) { c.Injectors = nil }},
		{snapshot.Gateways, func(c *snapshot.Cluster) { c.Gateways = nil }},
		{snapshot.IstiodServices, func(c *snapshot.Cluster) { c.IstiodServices = nil }},
		{snapshot.ExposedIstiods, func(c *snapshot.Cluster) { c.Exposed = nil }},
		{snapshot.RemoteSecretsPart, func(c *snapshot.Cluster) { c.RemoteSecrets = nil }},
		{snapshot.InventoryPart, func(c *snapshot.Cluster) { c.Inventory = "" }},
		{snapshot.RootCertificate, func(c *snapshot.Cluster) { c.RootCert = "" }},
		{snapshot.Nodes, func(c *snapshot.Cluster) { c.Nodes, c.ReadyNodes = 0, 0 }},
		{snapshot.PoliciesPart, func(c *snapshot.Cluster) { c.GatewayPolicies = nil }},
		{snapshot.Permissions, func(c *snapshot.Cluster) { c.Denied = nil }},
	}
}

// What could not be read is named once for its cluster, as unknown: it neither passes nor fails, and what depends on
// it is skipped.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for _, command := range commands() {
		for _, p := range parts() {
			for _, name := range []string{"east", "west"} {
				results := scenario{command: command, change: func(w *world) {
					p.blank(w.snapshot.Clusters[name])
					w.snapshot.Clusters[name].Unreadable = couldNotRead(p.name, "forbidden")
				}}.results()
				var unknown []Result
				for _, r := range results {
					switch r.Status {
					case Unknown:
						unknown = append(unknown, r)
					case Fail, Warn:
						t.Errorf("%q with %s of %s unreadable: %+v", command, p.name, name, r)
					}
				}
				if len(unknown) > 1 {
					t.Errorf("%q with %s of %s unreadable names it more than once: %+v", command, p.name, name, unknown)
				}
				if len(unknown) == 1 && (unknown[0].Cluster != name || !strings.Contains(unknown[0].Seen, p.name+": forbidden")) {
					t.Errorf("%q with %s of %s unreadable says %+v", command, p.name, name, unknown[0])
				}
				if got := lines(results, func(r Result) bool { return r.Status != Pass }); got != "" {
					fmt.Fprintf(&text, "# %s: %s of %s\n%s\n", cmp.Or(command, "verify"), p.name, name, got)
				}
			}
		}
	}
	golden.Equal(t, "unreadable.txt", text.String())
}

// Every part that is read is read for a check: where it is unreadable some command says so.
func TestEveryPartCounts(t *testing.T) {
	t.Parallel()
	for _, p := range parts() {
		counts := slices.ContainsFunc(commands(), func(command string) bool {
			return slices.ContainsFunc([]string{"east", "west"}, func(name string) bool {
				return Worst(scenario{command: command, change: func(w *world) {
					p.blank(w.snapshot.Clusters[name])
					w.snapshot.Clusters[name].Unreadable = couldNotRead(p.name, "forbidden")
				}}.results()) == Unknown
			})
		})
		if !counts {
			t.Errorf("nobody minds that %s could not be read", p.name)
		}
	}
}

// An API server that does not answer is named once, and all that would have been read through it is skipped.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	for _, command := range commands() {
		for _, name := range []string{"east", "west"} {
			results := scenario{command: command, change: func(w *world) {
				for _, p := range parts() {
					p.blank(w.snapshot.Clusters[name])
				}
				w.snapshot.Clusters[name].Unreadable = couldNotRead(snapshot.APIServer, "no answer within 10s")
				w.snapshot.Traffic = nil
			}}.results()
			var got []string
			for _, r := range results {
				if r.Status != Pass && r.Status != Skip {
					got = append(got, fmt.Sprintf("%s %s %s: %s", r.Status, r.ID, r.Cluster, r.Seen))
				}
				// The primary's word about a remote needs no look at the remote.
				if r.Cluster == name && r.Status == Pass && !fromPrimary(r.ID) {
					t.Errorf("%q: %s passes for %s, which does not answer: %s", command, r.ID, name, r.Seen)
				}
			}
			want := fmt.Sprintf("unknown reachable %s: context \"ctx-%s\" (https://%s.example:6443): no answer within 10s", name, name, name)
			if !slices.Equal(got, []string{want}) {
				t.Errorf("%q with %s unreachable tells\n%s\nwant\n%s", command, name, strings.Join(got, "\n"), want)
			}
		}
	}
}

// One cause that hides many parts of a cluster is told once.
func TestOneCauseIsToldOnce(t *testing.T) {
	t.Parallel()
	const closed = "the connection was closed before an answer came (4 attempts)"
	for _, command := range commands() {
		results := scenario{command: command, change: func(w *world) {
			for _, p := range parts() {
				p.blank(w.snapshot.Clusters["west"])
				w.west().Unreadable = append(w.west().Unreadable, snapshot.Unreadable{What: p.name, Reason: closed})
			}
		}}.results()
		var got []string
		for _, r := range results {
			switch {
			case r.Cluster == "west" && r.Status == Fail:
				t.Errorf("%q: %s fails though it could not look: %s", command, r.ID, r.Seen)
			case r.Status == Unknown:
				got = append(got, r.Cluster+": "+r.Seen)
			}
		}
		if len(got) > 1 || len(got) == 1 && !strings.Contains(got[0], closed) || len(got) == 0 && Worst(results) == Pass {
			t.Errorf("%q tells\n%s", command, strings.Join(got, "\n"))
		}
	}
}

// fromPrimary is true for a check that judges a remote by what the primary has and says, or by calls that go past the
// API server which could not be read.
func fromPrimary(id string) bool {
	return slices.Contains([]string{
		"not-synced", "sync-partial", "secret-localhost", "secret-proxy", "secret-missing", "secret-stale", "secret-unreachable", "secret-ca", "token-expired", "reader-rbac",
		"proxies", "firewall", "gateway-trust",
	}, id)
}
