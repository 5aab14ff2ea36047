// Package run carries out the steps of a plan: whatever has what it needs, at once, in parallel across clusters. It
// knows the steps' order and their outcome, not what they do.
package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
)

// Kind is what has happened to a step.
type Kind int

// The kinds of events.
const (
	// Started: the step runs now.
	Started Kind = iota
	// Progress: the step reports what it waits for.
	Progress
	// Done: the step is done; Detail says with which outcome.
	Done
	// Failed: the step failed with Err.
	Failed
	// Skipped: the step was not run, since one that it needs failed.
	Skipped
	// Cancelled: the step was interrupted or not begun when the run was.
	Cancelled
)

// Event is something that happened to a step.
type Event struct {
	Kind Kind
	Step plan.Step
	// Detail is the text of Progress and Done, and the id of the failed step for Skipped.
	Detail string
	// Took is how long the step has run.
	Took time.Duration
	Err  error
}

// Result is the result of a step that was carried out.
type Result struct {
	// Detail says it in a few words, such as "12 created".
	Detail string
	// Wrote is true when the step changed a cluster.
	Wrote bool
}

// Do carries out one step; say reports what it is waiting for.
type Do func(ctx context.Context, step plan.Step, say func(string)) (Result, error)

// Outcome is the result of a whole run.
type Outcome struct {
	// Wrote is true when any step changed a cluster.
	Wrote bool
	// Steps says what became of each step, by id.
	Steps map[string]Kind
	// Errors are the errors of the steps that failed, by id.
	Errors map[string]error
	// Interrupted is true when the run was cancelled before its end.
	Interrupted bool
}

// Steps runs the steps and emits events, one at a time, in the order in which they happen. One step's failure stops
// only those that need it. now is the clock. It returns an error only when the plan itself can't be run.
func Steps(ctx context.Context, steps []plan.Step, do Do, emit func(Event), now func() time.Time) (Outcome, error) {
	if err := runnable(steps); err != nil {
		return Outcome{}, err
	}
	r := &runner{
		do: do, emit: emit, now: now,
		done:    map[string]chan struct{}{},
		cause:   map[string]string{},
		outcome: Outcome{Steps: map[string]Kind{}, Errors: map[string]error{}},
	}
	for _, s := range steps {
		r.done[s.ID] = make(chan struct{})
	}
	var running sync.WaitGroup
	for _, s := range steps {
		running.Go(func() {
			defer close(r.done[s.ID])
			r.step(ctx, s)
		})
	}
	running.Wait()
	return r.outcome, nil
}

type runner struct {
	do   Do
	now  func() time.Time
	done map[string]chan struct{}

	mu      sync.Mutex
	emit    func(Event)
	outcome Outcome
	// cause is, by the id of a step that was skipped, the id of the step that failed.
	cause map[string]string
}

func (r *runner) step(ctx context.Context, s plan.Step) {
	for _, need := range s.Needs {
		<-r.done[need]
	}
	if blocker := r.blocker(s); blocker != "" {
		r.record(Event{Kind: Skipped, Step: s, Detail: blocker}, false)
		return
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		r.record(Event{Kind: Cancelled, Step: s}, false)
		return
	}
	if ctx.Err() != nil { // out of time: a failure, since the user did not interrupt it
		r.record(Event{Kind: Failed, Step: s, Err: fmt.Errorf("not begun: %w", context.Cause(ctx))}, false)
		return
	}
	r.record(Event{Kind: Started, Step: s}, false)
	begin := r.now()
	say := func(detail string) {
		r.record(Event{Kind: Progress, Step: s, Detail: detail, Took: r.now().Sub(begin)}, false)
	}
	result, err := r.do(ctx, s, say)
	event := Event{Kind: Done, Step: s, Detail: result.Detail, Took: r.now().Sub(begin), Err: err}
	switch {
	case err != nil && errors.Is(ctx.Err(), context.Canceled):
		event.Kind = Cancelled
	case err != nil:
		event.Kind = Failed
	}
	r.record(event, result.Wrote)
}

// blocker is the failed step that keeps s, which needs it directly or through others, from being done.
func (r *runner) blocker(s plan.Step) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, need := range s.Needs {
		switch r.outcome.Steps[need] {
		case Failed:
			return need
		case Skipped:
			return r.cause[need]
		}
	}
	return ""
}

func (r *runner) record(e Event, wrote bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcome.Wrote = r.outcome.Wrote || wrote
	if e.Kind > Progress {
		r.outcome.Steps[e.Step.ID] = e.Kind
	}
	switch e.Kind {
	case Failed:
		r.outcome.Errors[e.Step.ID] = e.Err
	case Skipped:
		r.cause[e.Step.ID] = e.Detail
	case Cancelled:
		r.outcome.Interrupted = true
	}
	r.emit(e)
}

// runnable returns why a plan can't be run: a duplicate step, a missing one, or a cycle.
func runnable(steps []plan.Step) error {
	needs := map[string][]string{}
	for _, s := range steps {
		if _, twice := needs[s.ID]; twice {
			return fmt.Errorf("the plan has step %s twice", s.ID)
		}
		needs[s.ID] = s.Needs
	}
	const visiting, visited = 1, 2
	state := map[string]int{}
	var visit func(id string) error
	visit = func(id string) error {
		switch state[id] {
		case visiting:
			return fmt.Errorf("step %s needs itself", id)
		case visited:
			return nil
		}
		state[id] = visiting
		for _, need := range needs[id] {
			if _, there := needs[need]; !there {
				return fmt.Errorf("step %s needs %s, which is not in the plan", id, need)
			}
			if err := visit(need); err != nil {
				return err
			}
		}
		state[id] = visited
		return nil
	}
	for _, s := range steps {
		if err := visit(s.ID); err != nil {
			return err
		}
	}
	return nil
}
