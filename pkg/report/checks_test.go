package report

import (
	"errors"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
)

func results() []check.Result {
	return []check.Result{
		{ID: "reachable", Cluster: "east", Status: check.Pass, Seen: "https://east.example:6443, Kubernetes v1.35.4", Fix: "none is needed"},
		{ID: "reachable", Cluster: "west", Status: check.Pass, Seen: "https://west.example:6443, Kubernetes v1.35.4"},
		{ID: "version-skew", Cluster: "east", Status: check.Warn, Seen: "istiod is of release 1.28.3, the charts at hand of 1.29.1: remotes are made with the charts of the primary's own minor release",
			Fix: "upgrade the primary to 1.29, or give the charts of its own release, which is a long line that stays one so that it can be pasted"},
		{ID: "cabundle-empty", Cluster: "west", Status: check.Fail, Seen: "MutatingWebhookConfiguration istio-sidecar-injector has no caBundle", Fix: "kubectl mesh attach-remote --context east west"},
		{ID: "root-cm-missing", Cluster: "west", Status: check.Unknown, Seen: `could not look at root certificate: configmaps "istio-ca-root-cert" is forbidden`},
		{ID: "roots-differ", Cluster: "west", Status: check.Skip, Seen: "needs root-cm-missing"},
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		style Style
	}{
		{"checks-plain", Style{Width: 80}}, {"checks-colour", Style{Width: 80, Colour: true}},
		{"checks-wide", Style{Width: 200}}, {"checks-narrow", Style{Width: 20}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var text strings.Builder
			if err := Checks(&text, test.style, results()); err != nil {
				t.Fatal(err)
			}
			golden.Equal(t, test.name+".txt", text.String())
			if !test.style.Colour && strings.Contains(text.String(), "\x1b") {
				t.Error("there are escape codes without colour")
			}
			for line := range strings.Lines(text.String()) {
				if n := len([]rune(strings.TrimSuffix(line, "\n"))); test.name == "checks-plain" && n > 80 && !strings.Contains(line, "→") {
					t.Errorf("%d columns: %s", n, line)
				}
			}
		})
	}
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
	if err := Checks(brokenPipe{}, Style{Width: 80}, results()); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
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
	if err := JSON(&text, results()[:2]); err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "checks.json", text.String())
	text.Reset()
	if err := JSON(&text, "kubectl mesh & <NAME>"); err != nil || text.String() != "\"kubectl mesh & <NAME>\"\n" {
		t.Errorf("a command can't be copied from %q (%v)", text.String(), err)
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 50)
	for _, test := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 40, []string{""}},
		{"short", 40, []string{"short"}},
		{"one two  three\nfour", 40, []string{"one two three four"}},
		{strings.Repeat("a", 20) + " " + strings.Repeat("b", 19), 40, []string{strings.Repeat("a", 20) + " " + strings.Repeat("b", 19)}},
		{strings.Repeat("a", 20) + " " + strings.Repeat("b", 20), 40, []string{strings.Repeat("a", 20), strings.Repeat("b", 20)}},
		{"see " + long + " there", 40, []string{"see", long, "there"}},
		{strings.Repeat("ä", 20) + " " + strings.Repeat("ö", 19), 40, []string{strings.Repeat("ä", 20) + " " + strings.Repeat("ö", 19)}},
	} {
		if got := wrap(test.text, test.width); strings.Join(got, "|") != strings.Join(test.want, "|") {
			t.Errorf("wrap(%q, %d) = %q, want %q", test.text, test.width, got, test.want)
		}
	}
}
