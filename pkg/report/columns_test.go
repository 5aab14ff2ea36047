package report

import (
	"os"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
)

// In some locales arrows and ellipses have two columns; the golden files are of the others.
func TestMain(m *testing.M) {
	runewidth.DefaultCondition.EastAsianWidth = false
	os.Exit(m.Run())
}

func TestCutAndPad(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		got, want string
	}{
		{cut("größer", 6), "größer"}, {cut("größer", 5), "größ…"}, {cut("ab", 1), "…"}, {cut("ab", 0), "ab"},
		{cut("世界", 4), "世界"}, {cut("世界地", 4), "世…"}, {cut("世界地", 5), "世界…"},
		{pad("größe", 7), "größe  "}, {pad("long", 2), "long"}, {pad("世界", 5), "世界 "},
		{pad("\x1b[31mred\x1b[0m", 4), "\x1b[31mred\x1b[0m "},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
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
		{"as spiffe://cluster.local/ns/kubectl-mesh-probe-6tqx6/sa/from-west, it", 40,
			[]string{"as", "spiffe://cluster.local/ns/", "kubectl-mesh-probe-6tqx6/sa/from-west,", "it"}},
		{"a/" + long + " there", 40, []string{"a/", long, "there"}},
		{strings.Repeat("界", 10) + " " + strings.Repeat("b", 19), 40, []string{strings.Repeat("界", 10) + " " + strings.Repeat("b", 19)}},
		{strings.Repeat("界", 10) + " " + strings.Repeat("b", 20), 40, []string{strings.Repeat("界", 10), strings.Repeat("b", 20)}},
		{"a " + strings.Repeat("界/", 15) + " there", 40, []string{"a", strings.Repeat("界/", 13), "界/界/ there"}},
		{strings.Repeat("ä", 20) + " " + strings.Repeat("ö", 19), 40, []string{strings.Repeat("ä", 20) + " " + strings.Repeat("ö", 19)}},
	} {
		if got := Wrap(test.text, test.width); got != strings.Join(test.want, "\n") {
			t.Errorf("Wrap(%q, %d) = %q, want %q", test.text, test.width, got, test.want)
		}
	}
}

// Cells begin below each other, whatever colours and wide characters are before them.
func TestColumns(t *testing.T) {
	t.Parallel()
	style := Style{Colour: true}
	rows := [][]string{
		{style.paint(red, "✗") + " east", "primary", "one two three four five six seven eight"},
		{"✓ 世界地図", "remote", "short"},
		{"✓ west", "", ""},
	}
	layout := columnsFor(2, rows...)
	if got := layout.width(); got != 10+2+7+2+39 {
		t.Errorf("they are %d wide", got)
	}
	want := []string{
		"\x1b[31m✗\x1b[0m east      primary  one two three four five six\n                     seven eight",
		"✓ 世界地図  remote   short",
		"✓ west",
	}
	for i, row := range rows {
		if got := layout.paragraph(50, row...); got != want[i] {
			t.Errorf("got  %q\nwant %q", got, want[i])
		}
		if got := layout.line(row...); got != strings.ReplaceAll(want[i], "\n                     ", " ") {
			t.Errorf("on one line it is %q", got)
		}
	}
	// A cell that nobody has reckoned with is still apart from the next.
	if got := layout.line("a longer name", "remote", "x"); got != "a longer name  remote   x" {
		t.Errorf("got %q", got)
	}
	if got := columnsFor(2).line("east", "x"); got != "east  x" {
		t.Errorf("got %q", got)
	}
}

func TestObjectsByCluster(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	err := ObjectsByCluster(&text, []Object{wanted("east", "", "Namespace", "a", nil), wanted("世界地", "", "Namespace", "b", nil)},
		func(apply.Verb) (printers.ResourcePrinter, error) { return &printers.NamePrinter{}, nil })
	if want := "east    namespace/a\n世界地  namespace/b\n"; err != nil || text.String() != want {
		t.Errorf("got %q (%v), want %q", text.String(), err, want)
	}
}
