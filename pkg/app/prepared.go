package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/execute"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
)

// Prepared is what a command is about to do: the clusters are looked at and judged fit, and nothing is written yet.
type Prepared struct {
	// Mesh is the complete mesh.
	Mesh mesh.Mesh
	// Steps are what is to be done, where it is not done already.
	Steps []plan.Step
	// KeptSettings are what holds of the settings of the last runs.
	KeptSettings []KeptSettings

	session  Session
	clusters cluster.Set
	charts   map[string]istio.Charts
}

// prepare is what the steps need to run; charts are those with each cluster's settings, by name.
func (s Session) prepare(st *state, steps []plan.Step, charts map[string]istio.Charts, kept []KeptSettings) *Prepared {
	return &Prepared{Mesh: st.mesh, Steps: steps, KeptSettings: kept, session: s, clusters: st.clusters, charts: charts}
}

// Primary is the mesh's primary.
func (p *Prepared) Primary() mesh.Cluster {
	primary, _ := p.Mesh.Primary()
	return primary
}

// Clusters are the names of the mesh's clusters, the primary's first.
func (p *Prepared) Clusters() []string { return names(p.Mesh) }

// Applied is what became of an object that a step applied.
type Applied struct {
	Step   plan.Step
	Result apply.Result
}

// Outcome is what became of the steps.
type Outcome struct {
	// Steps are those that were to run. A dry run leaves waits out.
	Steps []plan.Step
	// Run is what became of each.
	Run run.Outcome
	// Applied are the objects, in the order in which they were applied.
	Applied []Applied

	dry bool
}

// Run carries the steps out, and emits what happens to them; what fails is in the outcome.
func (p *Prepared) Run(ctx context.Context, emit func(run.Event)) (Outcome, error) {
	outcome := Outcome{Steps: p.Steps, dry: p.session.Write.dry()}
	if outcome.dry {
		outcome.Steps = plan.DryRun(p.Steps)
	}
	var mu sync.Mutex
	executor := &execute.Executor{
		Mesh: p.Mesh, Clusters: p.clusters, Caller: p.session.Caller, Charts: p.session.Settings.Charts, Settings: p.charts,
		ForceConflicts: p.session.Write.ForceConflicts, Version: p.session.Version, Holder: holder(), DryRun: p.session.Write.DryRun,
		Done: func(step plan.Step, result apply.Result) {
			mu.Lock()
			defer mu.Unlock()
			outcome.Applied = append(outcome.Applied, Applied{step, result})
		},
	}
	executor.Prepare(ctx, outcome.Steps)
	defer executor.Release(ctx)
	var err error
	outcome.Run, err = run.Steps(ctx, outcome.Steps, executor.Do, emit, time.Now)
	return outcome, err
}

// Err is what keeps the steps from being done; nil when all are.
func (o Outcome) Err() error {
	done := 0
	var causes []error
	for _, step := range o.Steps {
		if o.Run.Steps[step.ID] == run.Done {
			done++
		}
		if err := o.Run.Errors[step.ID]; err != nil {
			what := step.Title
			if o.dry { // no progress has said in which cluster
				what = step.Cluster + ": " + what
			}
			causes = append(causes, fmt.Errorf("%s: %w", what, err))
		}
	}
	switch {
	case o.dry && o.Run.Interrupted:
		return errors.New("interrupted; nothing was written")
	case o.dry:
		return errors.Join(causes...)
	case o.Run.Interrupted:
		return fmt.Errorf("interrupted with %d of %d steps done. What is done stays; the same command does the rest", done, len(o.Steps))
	case causes != nil:
		return fmt.Errorf("%w\n%d of %d steps are done. Once the cause is fixed, the same command does the rest",
			errors.Join(causes...), done, len(o.Steps))
	}
	return nil
}
