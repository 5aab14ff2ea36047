package check

import (
	"slices"
	"strings"
	"testing"
)

func TestEveryCheckIsExplained(t *testing.T) {
	t.Parallel()
	for _, c := range All() {
		if !slices.Contains(Categories(), c.Category) {
			t.Errorf("%s is of category %q", c.ID, c.Category)
		}
		if !slices.Contains(Subjects(), c.Subject) {
			t.Errorf("%s is about %q", c.ID, c.Subject)
		}
		if c.Severity != Fail && c.Severity != Warn {
			t.Errorf("%s comes to %q", c.ID, c.Severity)
		}
		for _, text := range []string{c.Why, c.Fix} {
			if !strings.HasSuffix(text, ".") || strings.ContainsAny(text, "\n\t") {
				t.Errorf("%s is explained by %q", c.ID, text)
			}
		}
		if !strings.HasSuffix(c.Docs, "/docs/checks.md#"+c.ID) {
			t.Errorf("%s has its docs at %s", c.ID, c.Docs)
		}
	}
}

func TestResultsCarryTheirCheck(t *testing.T) {
	t.Parallel()
	for _, s := range all() {
		for _, r := range s.results() {
			c, err := Find(r.ID)
			if err != nil {
				t.Fatal(err)
			}
			if r.Category != c.Category || r.Title != c.Title || r.Subject != c.Subject || r.Docs != c.Docs {
				t.Errorf("%s: %s has %q, %q, %q", s.name, r.ID, r.Category, r.Title, r.Docs)
			}
			if r.Needs != "" && (r.Status != Skip || r.Seen != "needs "+r.Needs) {
				t.Errorf("%s: %s is %s with %q and needs %q", s.name, r.ID, r.Status, r.Seen, r.Needs)
			}
			if c.Severity == Warn && r.Status == Fail {
				t.Errorf("%s: %s fails, which should be a warning at worst", s.name, r.ID)
			}
		}
	}
}

func TestSelectionValidate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		selection Selection
		want      string
	}{
		{Selection{}, ""},
		{Selection{Only: []string{"roots-differ"}, Skip: []string{"traffic"}, Categories: []string{"trust"}}, ""},
		{Selection{Only: []string{"root-differ"}}, `there is no check "root-differ"; did you mean roots-differ?`},
		{Selection{Skip: []string{"token"}}, `there is no check "token"; did you mean token-missing, token-expired?`},
		{Selection{Skip: []string{"Firewall"}}, `there is no check "Firewall"; did you mean firewall?`},
		{Selection{Only: []string{"xyz"}}, `there is no check "xyz"; kubectl mesh verify --list shows them all`},
		{Selection{Only: []string{""}}, `there is no check ""; kubectl mesh verify --list shows them all`},
		{Selection{Categories: []string{"certificates"}}, `there is no category "certificates"; there are: clusters, control-plane, ` +
			`gateway, credentials, injection, network, trust, proxies, traffic`},
		{Selection{Categories: []string{"networks"}}, `there is no category "networks"; did you mean network?`},
	} {
		got := ""
		if err := test.selection.Validate(); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%+v: got %q, want %q", test.selection, got, test.want)
		}
	}
}

func TestSelectionResults(t *testing.T) {
	t.Parallel()
	all := []Result{
		{ID: "no-istiod", Category: ControlPlane, Cluster: "east", Status: Fail},
		{ID: "istiod-ready", Category: ControlPlane, Cluster: "east", Status: Skip, Needs: "no-istiod"},
		{ID: "network-label", Category: Network, Cluster: "west", Status: Pass},
		{ID: "not-synced", Category: ControlPlane, Cluster: "west", Status: Skip, Needs: "istiod-ready"},
		{ID: "roots-differ", Category: Trust, Cluster: "west", Status: Skip, Needs: "not-synced"},
	}
	blind := []Result{{ID: "reachable", Category: Clusters, Cluster: "east", Status: Fail}}
	lost := []Result{
		{ID: "reachable", Category: Clusters, Cluster: "east", Status: Pass},
		{ID: "secret-malformed", Category: Credentials, Cluster: "east", Status: Unknown},
		{ID: "firewall", Category: Gateway, Cluster: "east", Status: Fail},
	}
	ids := func(results []Result) string {
		var ids []string
		for _, r := range results {
			ids = append(ids, r.ID)
		}
		return strings.Join(ids, " ")
	}
	for _, test := range []struct {
		selection        Selection
		selected, causes string
		of               []Result
	}{
		// A mesh whose primary does not answer, or whose remotes can't be found, is not one to which a check does not apply.
		{Selection{Only: []string{"not-synced"}}, "", "reachable", blind},
		{Selection{Only: []string{"token-expired"}}, "", "secret-malformed", lost},
		{Selection{Only: []string{"token-expired", "firewall"}}, "firewall", "secret-malformed", lost},
		{Selection{Only: []string{"gateway-trust"}}, "", "secret-malformed firewall", lost},
		{Selection{Only: []string{"reachable"}}, "reachable", "", lost},
		{Selection{}, ids(all), "", all},
		{Selection{Only: []string{"network-label"}}, "network-label", "", all},
		{Selection{Only: []string{"roots-differ"}}, "roots-differ", "not-synced istiod-ready no-istiod", all},
		{Selection{Only: []string{"roots-differ"}, Skip: []string{"no-istiod"}}, "roots-differ", "not-synced istiod-ready", all},
		{Selection{Skip: []string{"no-istiod"}}, "istiod-ready network-label not-synced roots-differ", "", all},
		{Selection{Categories: []string{"network", "trust"}}, "network-label roots-differ", "not-synced istiod-ready no-istiod", all},
		{Selection{Categories: []string{"network"}, Skip: []string{"network-label"}}, "", "no-istiod", all}, // which registry-unknown needs
	} {
		selected, causes := test.selection.Results(For("verify"), test.of)
		if test.selection.Narrows() && ids(causes) != test.causes {
			t.Errorf("%+v: causes are %q, want %q", test.selection, ids(causes), test.causes)
		}
		if ids(selected) != test.selected {
			t.Errorf("%+v: selected are %q, want %q", test.selection, ids(selected), test.selected)
		}
	}
}
