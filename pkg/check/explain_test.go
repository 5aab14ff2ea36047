package check

import (
	"slices"
	"strings"
	"testing"
)

func TestEveryCheckIsExplained(t *testing.T) {
	t.Parallel()
	texts := explanations()
	for _, c := range All() {
		if !slices.Contains(Categories(), c.Category) {
			t.Errorf("%s is of category %q", c.ID, c.Category)
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
		delete(texts, c.ID)
	}
	for id := range texts {
		t.Errorf("%s is explained, but no check", id)
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
			if r.Category != c.Category || r.Title != c.Title || r.Docs != c.Docs {
				t.Errorf("%s: %s has %q, %q, %q", s.name, r.ID, r.Category, r.Title, r.Docs)
			}
			if named := strings.HasPrefix(r.Seen, "needs "); r.Status == Skip && named != (r.Needs != "") {
				t.Errorf("%s: %s is skipped with %q and needs %q", s.name, r.ID, r.Seen, r.Needs)
			}
			if c.Severity == Warn && r.Status == Fail {
				t.Errorf("%s: %s fails, which should be a warning at worst", s.name, r.ID)
			}
		}
	}
}

func TestChoiceValidate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		choice Choice
		want   string
	}{
		{Choice{}, ""},
		{Choice{Only: []string{"roots-differ"}, Skip: []string{"traffic"}, Categories: []string{"trust"}}, ""},
		{Choice{Only: []string{"root-differ"}}, `there is no check "root-differ"; did you mean roots-differ?`},
		{Choice{Skip: []string{"token"}}, `there is no check "token"; did you mean token-missing, token-expired?`},
		{Choice{Skip: []string{"Firewall"}}, `there is no check "Firewall"; did you mean firewall?`},
		{Choice{Only: []string{"xyz"}}, `there is no check "xyz"; kubectl mesh verify --list shows them all`},
		{Choice{Only: []string{""}}, `there is no check ""; kubectl mesh verify --list shows them all`},
		{Choice{Categories: []string{"certificates"}}, `there is no category "certificates"; there are: clusters, control-plane, ` +
			`gateway, credentials, injection, network, trust, proxies, traffic`},
		{Choice{Categories: []string{"networks"}}, `there is no category "networks"; did you mean network?`},
	} {
		got := ""
		if err := test.choice.Validate(); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%+v: got %q, want %q", test.choice, got, test.want)
		}
	}
}

func TestChoiceResults(t *testing.T) {
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
		choice          Choice
		chosen, grounds string
		of              []Result
	}{
		// A mesh whose primary does not answer, or whose remotes can't be found, is not one to which a check does not apply.
		{Choice{Only: []string{"not-synced"}}, "", "reachable", blind},
		{Choice{Only: []string{"token-expired"}}, "", "secret-malformed", lost},
		{Choice{Only: []string{"token-expired", "firewall"}}, "firewall", "secret-malformed", lost},
		{Choice{Only: []string{"gateway-trust"}}, "", "secret-malformed firewall", lost},
		{Choice{Only: []string{"reachable"}}, "reachable", "", lost},
		{Choice{}, ids(all), "", all},
		{Choice{Only: []string{"network-label"}}, "network-label", "", all},
		{Choice{Only: []string{"roots-differ"}}, "roots-differ", "not-synced istiod-ready no-istiod", all},
		{Choice{Only: []string{"roots-differ"}, Skip: []string{"no-istiod"}}, "roots-differ", "not-synced istiod-ready", all},
		{Choice{Skip: []string{"no-istiod"}}, "istiod-ready network-label not-synced roots-differ", "", all},
		{Choice{Categories: []string{"network", "trust"}}, "network-label roots-differ", "not-synced istiod-ready no-istiod", all},
		{Choice{Categories: []string{"network"}, Skip: []string{"network-label"}}, "", "no-istiod", all}, // which registry-unknown needs
	} {
		chosen, grounds := test.choice.Results(For("verify"), test.of)
		if test.choice.Narrows() && ids(grounds) != test.grounds {
			t.Errorf("%+v: grounds are %q, want %q", test.choice, ids(grounds), test.grounds)
		}
		if ids(chosen) != test.chosen {
			t.Errorf("%+v: chosen are %q, want %q", test.choice, ids(chosen), test.chosen)
		}
	}
}
