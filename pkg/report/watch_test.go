package report

import (
	"strings"
	"testing"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
)

func TestChanges(t *testing.T) {
	t.Parallel()
	result := func(cluster, id string, status check.Status) check.Result {
		r := check.Result{ID: id, Cluster: cluster, Status: status, Seen: "as seen"}
		if status != check.Pass {
			r.Fix = check.Fix{Advice: "do this"}
		}
		return r
	}
	rounds := []struct {
		results []check.Result
		want    string
		names   string
	}{
		// The first is what the table shows.
		{[]check.Result{result("east", "reachable", check.Pass), result("west", "reachable", check.Pass), result("west", "token-expired", check.Fail), result("west", "not-synced", check.Skip)}, "", ""},
		// Nothing is new.
		{[]check.Result{result("east", "reachable", check.Pass), result("west", "reachable", check.Pass), result("west", "token-expired", check.Fail), result("west", "not-synced", check.Skip)}, "", ""},
		// One thing is fixed, and what was skipped for it passes.
		{[]check.Result{result("east", "reachable", check.Pass), result("west", "reachable", check.Pass), result("west", "token-expired", check.Pass), result("west", "not-synced", check.Pass)},
			"12:00:02 ✓ west token-expired  as seen\n", "check/west/token-expired pass\ncheck/west/not-synced pass\n"},
		// The cause is told, and not all that is skipped for it.
		{[]check.Result{result("east", "reachable", check.Pass), result("west", "reachable", check.Fail), result("west", "token-expired", check.Skip), result("west", "not-synced", check.Skip)},
			"12:00:03 ✗ west reachable  as seen\n         → do this\n", "check/west/reachable fail\n"},
		// It is back, and something that was hidden behind it has changed meanwhile.
		{[]check.Result{result("east", "reachable", check.Pass), result("west", "reachable", check.Pass), result("west", "token-expired", check.Pass), result("west", "not-synced", check.Warn)},
			"12:00:04 ✓ west reachable  as seen\n12:00:04 ! west not-synced  as seen\n         → do this\n", "check/west/reachable pass\ncheck/west/not-synced warn\n"},
		// A cluster joins, another leaves.
		{[]check.Result{result("east", "reachable", check.Pass), result("south", "reachable", check.Pass), result("south", "token-expired", check.Unknown)},
			"12:00:05 west is no longer part of the mesh\n12:00:05 south is part of the mesh now: 1 passed, 1 unknown\n12:00:05 ? south token-expired  as seen\n         → do this\n",
			"check/south/reachable pass\ncheck/south/token-expired unknown\n"},
		// And comes back, with nothing known of what it was.
		{[]check.Result{result("east", "reachable", check.Pass), result("west", "not-synced", check.Warn)},
			"12:00:06 south is no longer part of the mesh\n12:00:06 west is part of the mesh now: 0 passed, 1 warning\n12:00:06 ! west not-synced  as seen\n         → do this\n",
			"check/west/not-synced warn\n"},
	}
	table, names := &Changes{}, &Changes{Names: true}
	for i, round := range rounds {
		now := time.Date(2026, 1, 2, 12, 0, i, 0, time.UTC)
		var text, lines strings.Builder
		if err := table.Next(&text, Style{Width: 80}, now, round.results); err != nil {
			t.Fatal(err)
		}
		if err := names.Next(&lines, Style{Width: 80}, now, round.results); err != nil {
			t.Fatal(err)
		}
		if text.String() != round.want {
			t.Errorf("round %d: got %q, want %q", i, text.String(), round.want)
		}
		if lines.String() != round.names {
			t.Errorf("round %d, names: got %q, want %q", i, lines.String(), round.names)
		}
	}
}
