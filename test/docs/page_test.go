package docs

import (
	"slices"
	"strings"
	"testing"
)

const page = "Words.\n\n<!-- before: one -->\n<!-- after: two -->\n```console\n$ first \\\n  more\nsaid 1\n$ second\n```\n\n" +
	"```yaml\na: b\n```\n<!-- not run: no network -->\n```sh\nthird\nfourth\n```\n"

func TestReadPage(t *testing.T) {
	t.Parallel()
	blocks, err := readPage(page)
	if err != nil {
		t.Fatal(err)
	}
	if len(blocks) != 2 {
		t.Fatalf("%d blocks: %+v", len(blocks), blocks)
	}
	first := blocks[0]
	if first.line != 5 || !slices.Equal(first.before, []string{"one"}) || !slices.Equal(first.after, []string{"two"}) || len(first.commands) != 2 {
		t.Errorf("%+v", first)
	}
	if c := first.commands[0]; c.typed != "first \\\n  more" || !slices.Equal(c.shows, []string{"said 1"}) {
		t.Errorf("%+v", c)
	}
	if second := blocks[1]; second.notRun != "no network" || second.commands[0].typed != "third\nfourth" {
		t.Errorf("%+v", second)
	}
	late, err := readPage("<!-- run: after the next block -->\n" + "```sh\nseen first\n```\n```sh\nseen second\n```\n```sh\nseen third\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, b := range late {
		order = append(order, b.commands[0].typed)
	}
	if want := []string{"seen second", "seen first", "seen third"}; !slices.Equal(order, want) {
		t.Errorf("the order is %q, not %q", order, want)
	}
	for _, bad := range []string{"```sh\nfirst\n", "<!-- not run: why -->\nWords.\n"} {
		if _, err := readPage(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ shows, printed, want string }{
		"the same":            {"✓ a (0.1s)\nb", "b\n✓ a (12s)\n", ""},
		"a line more":         {"a", "a\nb", "not on page: b"},
		"a line more, elided": {"a\n…", "a\nb", ""},
		"a line less":         {"a\n…\nb", "a", "not printed: b"},
		"another word":        {"✓ a: there", "✓ a: gone", "not printed: ✓ a: there|not on page: ✓ a: gone"},
		"an address":          {"at 10.0.0.1.", "at 192.0.2.77.", ""},
		"twice shown":         {"a\na", "a", "not printed: a"},
		"wrapped elsewhere":   {"x  a long\n           text", "x  a\n           long text", ""},
		"a generated name":    {"pod istiod-5c6b8f7d9-abcde", "pod istiod-7d9f5c6b8-fghij", ""},
	} {
		if got := strings.Join(differences(strings.Split(test.shows, "\n"), test.printed), "|"); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
