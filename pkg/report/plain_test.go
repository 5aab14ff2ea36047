package report

import (
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                            "",
		"two\nlines, Ünïcode ✓ 東京":    "two\nlines, Ünïcode ✓ 東京",
		"\x1b[2J\x1b]0;title\a":       `\x1b[2J\x1b]0;title\a`,
		"over\rwritten":               "over written",
		"\u009b31m":                   `\u009b31m`,
		"gnp.exe\u202e":               `gnp.exe\u202e`,
		"zero\u200bwidth, del \x7f":   `zero\u200bwidth, del \x7f`,
		"no UTF-8: \xff":              "no UTF-8: \ufffd",
		"it's 'quoted' \"and\" \\ so": "it's 'quoted' \"and\" \\ so",
	} {
		if got := Plain(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// What somebody wrote into a cluster neither commands the terminal nor makes lines that look like ours.
func TestChecksArePlain(t *testing.T) {
	t.Parallel()
	const evil = "x\x1b[31m\n✓ reachable"
	results := []check.Result{{ID: "traffic", Cluster: evil, To: evil, Status: check.Fail, Seen: evil, Fix: check.Fix{Advice: evil}}}
	const want = "x\\x1b[31m ✓ reachable\n  ✗ traffic  x\\x1b[31m ✓ reachable\n    → x\\x1b[31m ✓ reachable\n"
	var text strings.Builder
	if err := Checks(&text, Style{Width: 80}, results); err != nil || !strings.HasPrefix(text.String(), want) {
		t.Errorf("got %v\n%q", err, text.String())
	}
	text.Reset()
	if err := Names(&text, results); err != nil || strings.Count(text.String(), "\n") != 1 || strings.Contains(text.String(), "\x1b") {
		t.Errorf("got %v\n%q", err, text.String())
	}
	if results[0].Seen != evil {
		t.Error("programs would get another text, too")
	}
}
