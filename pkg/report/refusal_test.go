package report

import (
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
)

func TestRefusal(t *testing.T) {
	t.Parallel()
	got := Refusal([]check.Result{
		{ID: "reachable", Cluster: "west", Seen: "no answer"},
		{ID: "permission", Cluster: "east", Seen: "may not", Fix: check.Fix{
			Advice: "ask for it", Commands: []command.Command{{Argv: []string{"kubectl", "auth", "can-i"}}},
		}},
	})
	const want = "west: no answer (reachable)\neast: may not (permission)\n  → ask for it\n  → kubectl auth can-i\nNothing was written"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
