package app

import (
	"errors"
	"slices"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
)

// ended is a run of three steps, of which the first is done.
func ended(outcome run.Outcome, dry bool) Outcome {
	outcome.Steps = map[string]run.Kind{"east/a": run.Done}
	steps := []plan.Step{{ID: "east/a", Cluster: "east", Title: "A"}, {ID: "east/b", Cluster: "east", Title: "B"}, {ID: "west/c", Cluster: "west", Title: "C"}}
	return Outcome{Steps: steps, Run: outcome, dry: dry}
}

func TestOutcomeErr(t *testing.T) {
	t.Parallel()
	failed := run.Outcome{Errors: map[string]error{"east/b": errors.New("no"), "west/c": errors.New("never")}}
	for _, test := range []struct {
		name    string
		outcome Outcome
		want    string
	}{
		{"nothing to do", Outcome{}, ""},
		{"failed", ended(failed, false), "B: no\nC: never\n1 of 3 steps are done. Once the cause is fixed, the same command does the rest"},
		{"interrupted", ended(run.Outcome{Interrupted: true}, false), "interrupted with 1 of 3 steps done. What is done stays; the same command does the rest"},
		{"a dry run failed", ended(failed, true), "east: B: no\nwest: C: never"},
		{"a dry run was interrupted", ended(run.Outcome{Interrupted: true}, true), "interrupted; nothing was written"},
		{"a dry run", ended(run.Outcome{}, true), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := test.outcome.Err(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// A remote is attached when every step about it is done, those on the primary included.
func TestAttached(t *testing.T) {
	t.Parallel()
	steps := []plan.Step{
		{ID: "west/namespace", Cluster: "west", Action: plan.ApplyNamespace{}},
		{ID: "east/secret-west", Cluster: "east", Action: plan.ApplyRemoteSecret{Remote: "west"}},
		{ID: "south/namespace", Cluster: "south", Action: plan.ApplyNamespace{}},
		{ID: "east/secret-south", Cluster: "east", Action: plan.ApplyRemoteSecret{Remote: "south"}},
	}
	a := &Attachment{Prepared: &Prepared{Mesh: mesh.Mesh{Clusters: []mesh.Cluster{
		{Name: "east", Role: mesh.Primary}, {Name: "west", Role: mesh.Remote}, {Name: "south", Role: mesh.Remote},
	}}}}
	outcome := Outcome{Steps: steps, Run: run.Outcome{Steps: map[string]run.Kind{
		"west/namespace": run.Done, "east/secret-west": run.Done, "south/namespace": run.Done, "east/secret-south": run.Failed,
	}}}
	attached, failed := a.Attached(outcome)
	if !slices.Equal(attached, []string{"west"}) || !slices.Equal(failed, []string{"south"}) {
		t.Errorf("attached are %q, not attached %q", attached, failed)
	}
}
