package report

import (
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
)

func TestList(t *testing.T) {
	t.Parallel()
	var text, ids strings.Builder
	if err := List(&text, Style{Width: 80}, check.All()); err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "list.txt", text.String())
	fits(t, text.String())
	if err := ListNames(&ids, check.All()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(ids.String()); len(got) != len(check.All()) || got[0] != check.All()[0].ID {
		t.Errorf("the ids are %q", got)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	var chosen []check.Check
	for _, id := range []string{"not-synced", "leftover", "traffic", "permission"} {
		c, err := check.Find(id)
		if err != nil {
			t.Fatal(err)
		}
		chosen = append(chosen, c)
	}
	for name, style := range map[string]Style{"explain.txt": {Width: 80}, "explain-colour.txt": {Width: 120, Colour: true}} {
		var text strings.Builder
		if err := Explain(&text, style, chosen); err != nil {
			t.Fatal(err)
		}
		golden.Equal(t, name, text.String())
	}
	var all strings.Builder
	if err := Explain(&all, Style{Width: 80}, check.All()); err != nil {
		t.Fatal(err)
	}
	fits(t, all.String())
}
