package report

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
)

// results are of a mesh with something of every status.
func results() []check.Result {
	return known([]check.Result{
		{ID: "reachable", Cluster: "east", Status: check.Pass, Seen: "https://east.example:6443, Kubernetes v1.35.4", Fix: check.Fix{Advice: "none is needed"}},
		{ID: "reachable", Cluster: "west", Status: check.Pass, Seen: "https://west.example:6443, Kubernetes v1.35.4"},
		{ID: "version-skew", Cluster: "east", Status: check.Warn, Seen: "istiod is of release 1.28.3, the charts at hand of 1.29.1: remotes are made with the charts of the primary's own minor release",
			Fix: check.Fix{Advice: "upgrade the primary to 1.29, or give the charts of its own release, which is a long line that stays one"}},
		{ID: "cabundle-empty", Cluster: "west", Status: check.Fail, Seen: "MutatingWebhookConfiguration istio-sidecar-injector has no caBundle", Fix: check.Fix{Commands: []command.Command{{Cluster: "east", Argv: []string{"kubectl", "mesh", "attach-remote", "west", "--context", "east"}}}}},
		{ID: "root-cm-missing", Cluster: "west", Status: check.Unknown, Seen: `could not look at root certificate: configmaps "istio-ca-root-cert" is forbidden`},
		{ID: "roots-differ", Cluster: "west", Status: check.Skip, Seen: "needs root-cm-missing", Needs: "root-cm-missing"},
		{ID: "traffic", Cluster: "west", To: "east", Status: check.Fail, Seen: "→ east: 3 of 10 http calls were answered: HTTP 503 <no healthy upstream>", Fix: check.Fix{Advice: "see not-synced & network-label",
			Inspect: []command.Command{{Cluster: "east", Argv: []string{"kubectl", "--context", "east", "logs", "istiod"}}, {Argv: []string{"grep", "west & more"}, Piped: true}}}},
		{ID: "traffic", Cluster: "west", To: "west", Status: check.Pass, Seen: "→ west: 30 calls (http, grpc, tcp) as spiffe://cluster.local/ns/kubectl-mesh-probe-6tqx6/sa/from-west, p50 1.2ms, p99 12ms"},
	})
}

// healthy are of a mesh with nothing wrong.
func healthy() []check.Result {
	return known([]check.Result{
		{ID: "reachable", Cluster: "east", Status: check.Pass, Seen: "https://east.example:6443, Kubernetes v1.35.4"},
		{ID: "same-cluster", Cluster: "east", Status: check.Pass, Seen: "kube-system has UID 20dec9e2-38ef-4458-9c43-35963598e684"},
		{ID: "no-istiod", Cluster: "east", Status: check.Pass, Seen: "istiod 1.29.1, revision default, 1 of 1 ready"},
		{ID: "reachable", Cluster: "west", Status: check.Pass, Seen: "https://west.example:6443, Kubernetes v1.35.4"},
		{ID: "token-missing", Cluster: "west", Status: check.Pass, Seen: "Secret istio-reader-service-account-istio-remote-secret-token is filled"},
	})
}

// known gives results what the judgement gives them of their check.
func known(results []check.Result) []check.Result {
	for i := range results {
		c, err := check.Find(results[i].ID)
		if err != nil {
			panic(err)
		}
		results[i].Subject, results[i].Category, results[i].Title, results[i].Docs = c.Subject, c.Category, c.Title, c.Docs
	}
	return results
}

func TestChecks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		style   Style
		write   func(io.Writer, Style, []check.Result) error
		results []check.Result
	}{
		{"checks-plain", Style{Width: 80}, Checks, results()}, {"checks-colour", Style{Width: 80, Colour: true}, Checks, results()},
		{"checks-long-lines", Style{Width: 200}, Checks, results()}, {"checks-narrow", Style{Width: 20}, Checks, results()},
		{"checks-healthy", Style{Width: 80}, Checks, healthy()},
		{"wide-plain", Style{Width: 80}, ChecksWide, results()}, {"wide-colour", Style{Width: 80, Colour: true}, ChecksWide, results()},
		{"wide-long-lines", Style{Width: 200}, ChecksWide, results()}, {"wide-healthy", Style{Width: 80}, ChecksWide, healthy()},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var text strings.Builder
			if err := test.write(&text, test.style, test.results); err != nil {
				t.Fatal(err)
			}
			golden.Equal(t, test.name+".txt", text.String())
			if !test.style.Colour && strings.Contains(text.String(), "\x1b") {
				t.Error("there are escape codes without colour")
			}
			if test.style.Width == 80 && !test.style.Colour {
				fits(t, text.String())
			}
		})
	}
}

// fits fails for lines of more than 80 columns that are neither to be pasted nor one word that can't be broken.
func fits(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if widthOf(line) > 80 && !strings.Contains(line, "→ ") && strings.Contains(strings.TrimSpace(line), " ") {
			t.Errorf("%d columns: %s", widthOf(line), line)
		}
	}
}

func TestManyTroubles(t *testing.T) {
	t.Parallel()
	var many []check.Result
	for _, c := range check.All() {
		many = append(many, check.Result{ID: c.ID, Cluster: "east", Status: check.Fail, Seen: "broken"})
	}
	var text strings.Builder
	if err := Checks(&text, Style{Width: 80}, many); err != nil {
		t.Fatal(err)
	}
	if want := "More about each: kubectl mesh verify --explain reachable (or another id)\n"; !strings.Contains(text.String(), want) {
		t.Errorf("%q is not in\n%s", want, text.String())
	}
	fits(t, text.String())
}

func TestNames(t *testing.T) {
	t.Parallel()
	// A name stands for one thing, so of two results with one name the worse counts.
	twice := append(results(), check.Result{ID: "cabundle-empty", Cluster: "west", Status: check.Pass},
		check.Result{ID: "roots-differ", Cluster: "west", Status: check.Warn})
	var text strings.Builder
	if err := Names(&text, twice); err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "names.txt", text.String())
}

func TestChecksOfNothing(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	if err := Checks(&text, Style{Width: 80}, nil); err != nil || text.String() != "" {
		t.Errorf("got %q, %v", text.String(), err)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }

var errBroken = errors.New("broken pipe")

func TestChecksThatNobodyReads(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"checks":  Checks(brokenPipe{}, Style{Width: 80}, results()),
		"wide":    ChecksWide(brokenPipe{}, Style{Width: 80}, results()),
		"names":   Names(brokenPipe{}, results()),
		"json":    JSON(brokenPipe{}, results()),
		"yaml":    YAML(brokenPipe{}, results()),
		"junit":   JUnit(brokenPipe{}, "", results(), false),
		"list":    List(brokenPipe{}, Style{Width: 80}, check.All()),
		"ids":     ListNames(brokenPipe{}, check.All()),
		"explain": Explain(brokenPipe{}, Style{Width: 80}, check.All()),
		"changes": (&Changes{}).Next(brokenPipe{}, Style{Width: 80}, time.Time{}, results()),
	} {
		if !errors.Is(err, errBroken) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestTally(t *testing.T) {
	t.Parallel()
	of := func(statuses ...check.Status) (results []check.Result) {
		for _, s := range statuses {
			results = append(results, check.Result{Status: s})
		}
		return results
	}
	for want, results := range map[string][]check.Result{
		"west: 0 passed":                      nil,
		"west: 2 passed":                      of(check.Pass, check.Pass),
		"west: 1 passed, 1 warning":           of(check.Warn, check.Pass),
		"west: 0 passed, 2 warnings":          of(check.Warn, check.Warn),
		"west: 0 passed, 1 unknown, 1 failed": of(check.Fail, check.Unknown),
		"west: 1 passed, 1 warning, 2 unknown, 2 skipped, 2 failed": of(check.Fail, check.Unknown, check.Skip, check.Pass,
			check.Fail, check.Unknown, check.Skip, check.Warn),
	} {
		if got := Tally("west", results); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	if err := JSON(&text, results()); err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "checks.json", text.String())
	text.Reset()
	if err := JSON(&text, "kubectl mesh & <NAME>"); err != nil || text.String() != "\"kubectl mesh & <NAME>\"\n" {
		t.Errorf("a command can't be copied from %q (%v)", text.String(), err)
	}
}

// What was skipped counts for the check at the root of it, and a cluster of which nothing else is known has not passed.
func TestSkipped(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	err := Checks(&text, Style{Width: 80}, known([]check.Result{
		{ID: "no-istiod", Cluster: "east", Status: check.Fail, Seen: "no istiod"},
		{ID: "istiod-ready", Cluster: "east", Status: check.Skip, Seen: "needs no-istiod", Needs: "no-istiod"},
		{ID: "firewall", Cluster: "east", Status: check.Skip, Seen: "needs istiod-ready", Needs: "istiod-ready"},
		{ID: "mesh-id", Cluster: "east", Status: check.Skip, Seen: "no mesh id to compare"},
		{ID: "injection", Cluster: "west", Status: check.Skip, Seen: "needs istiod-ready", Needs: "istiod-ready"},
		{ID: "mesh-id", Cluster: "south", Status: check.Skip, Seen: "no mesh id to compare"},
	}))
	const want = `east
  ✗ no-istiod  no istiod
  - skipped        2 checks (needs no-istiod)
  - skipped        1 check (nothing to judge)
west
  - skipped        1 check (needs istiod-ready)
south
  - skipped        1 check (nothing to judge)

More about it: kubectl mesh verify --explain no-istiod
east: 0 passed, 3 skipped, 1 failed
west: 0 passed, 1 skipped
south: 0 passed, 1 skipped
✗ 1 of 3 clusters passed; east failed; west unknown
`
	if err != nil || text.String() != want {
		t.Errorf("got %v\n%s", err, text.String())
	}
}

func TestYAML(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	if err := YAML(&text, results()); err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "checks.yaml", text.String())
	var back []check.Result
	if err := yaml.Unmarshal([]byte(text.String()), &back); err != nil || !reflect.DeepEqual(back, results()) {
		t.Errorf("what was written reads as %v (%v)", back, err)
	}
	if err := YAML(&text, func() {}); err == nil {
		t.Error("a function has been written as YAML")
	}
}
