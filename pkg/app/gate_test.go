package app

import (
	"slices"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
)

// A command does not write where something failed. What is unknown stands in its way only where nothing worse is known.
func TestRefusing(t *testing.T) {
	t.Parallel()
	result := func(id, cluster string, status check.Status) check.Result {
		return check.Result{ID: id, Cluster: cluster, Status: status, Seen: "as seen"}
	}
	for _, test := range []struct {
		name    string
		results []check.Result
		want    []string
	}{
		{"all is well", []check.Result{result("reachable", "east", check.Pass), result("permission", "east", check.Skip), result("other-primary", "east", check.Warn)}, nil},
		{"a failure", []check.Result{result("reachable", "east", check.Pass), result("permission", "east", check.Fail)}, []string{"permission"}},
		{"unknown", []check.Result{result("permission", "east", check.Unknown)}, []string{"permission"}},
		{"unknown beside a failure", []check.Result{result("other-primary", "east", check.Unknown), result("permission", "east", check.Fail)}, []string{"permission"}},
		{"unknown beside another cluster's failure", []check.Result{result("other-primary", "west", check.Unknown), result("permission", "east", check.Fail)}, []string{"other-primary", "permission"}},
		{"no answer beside a failure", []check.Result{result("reachable", "east", check.Unknown), result("permission", "east", check.Fail)}, []string{"reachable", "permission"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, r := range refusing(test.results) {
				got = append(got, r.ID)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestRefusedError(t *testing.T) {
	t.Parallel()
	err := &RefusedError{[]check.Result{{ID: "permission", Cluster: "east", Seen: "may not"}, {ID: "reachable", Cluster: "west", Seen: "no answer"}}}
	if got, want := err.Error(), "east: may not (permission)\nwest: no answer (reachable)\nNothing was written"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
