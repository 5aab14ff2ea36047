package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
)

func step(id string, needs ...string) plan.Step { return plan.Step{ID: id, Title: id, Needs: needs} }

// recorder notes events as text, and whether two ever came at once.
type recorder struct {
	busy   sync.Mutex
	events []string
	atOnce bool
}

func (r *recorder) emit(e Event) {
	if !r.busy.TryLock() {
		r.atOnce = true
		return
	}
	defer r.busy.Unlock()
	r.events = append(r.events, strings.TrimSpace(fmt.Sprintf("%s %s %s", name(e.Kind), e.Step.ID, e.Detail)))
}

func name(k Kind) string {
	return [...]string{"started", "progress", "done", "failed", "skipped", "cancelled"}[k]
}

func (r *recorder) index(event string) int { return slices.Index(r.events, event) }

// still is a clock that does not move.
func still() time.Time { return time.Time{} }

func TestOrder(t *testing.T) {
	t.Parallel()
	// The plan's own order is no matter: what is needed comes first.
	steps := []plan.Step{step("d", "b", "c"), step("b", "a"), step("c", "a"), step("a")}
	var r recorder
	outcome, err := Steps(t.Context(), steps, func(_ context.Context, s plan.Step, say func(string)) (Result, error) {
		say("waits")
		return Result{Detail: "did " + s.ID, Wrote: s.ID == "c"}, nil
	}, r.emit, still)
	if err != nil {
		t.Fatal(err)
	}
	for _, order := range [][2]string{
		{"done a did a", "started b"}, {"done a did a", "started c"}, {"done b did b", "started d"}, {"done c did c", "started d"},
		{"started a", "progress a waits"}, {"progress a waits", "done a did a"},
	} {
		if first, then := r.index(order[0]), r.index(order[1]); first < 0 || then < first {
			t.Errorf("%q does not come before %q in %q", order[0], order[1], r.events)
		}
	}
	if len(r.events) != 12 {
		t.Errorf("%d events, want 3 of each of 4 steps: %q", len(r.events), r.events)
	}
	want := map[string]Kind{"a": Done, "b": Done, "c": Done, "d": Done}
	if !maps.Equal(outcome.Steps, want) || !outcome.Wrote || outcome.Interrupted || len(outcome.Errors) != 0 {
		t.Errorf("the outcome is %+v", outcome)
	}
}

func TestNothingWritten(t *testing.T) {
	t.Parallel()
	outcome, err := Steps(t.Context(), []plan.Step{step("a"), step("b", "a")},
		func(context.Context, plan.Step, func(string)) (Result, error) { return Result{}, nil }, func(Event) {}, still)
	if err != nil || outcome.Wrote {
		t.Errorf("got %+v, %v", outcome, err)
	}
}

// Steps that do not need each other run at once: each of these ends only when all have begun.
func TestParallel(t *testing.T) {
	t.Parallel()
	steps := []plan.Step{step("a"), step("b"), step("c")}
	var begun sync.WaitGroup
	begun.Add(len(steps))
	outcome, err := Steps(t.Context(), steps, func(context.Context, plan.Step, func(string)) (Result, error) {
		begun.Done()
		begun.Wait()
		return Result{}, nil
	}, func(Event) {}, still)
	if err != nil || len(outcome.Steps) != 3 {
		t.Errorf("got %+v, %v", outcome, err)
	}
}

func TestEventsComeOneAtATime(t *testing.T) {
	t.Parallel()
	var steps []plan.Step
	for i := range 50 {
		steps = append(steps, step(fmt.Sprint(i)))
	}
	var r recorder
	if _, err := Steps(t.Context(), steps, func(_ context.Context, _ plan.Step, say func(string)) (Result, error) {
		for range 20 {
			say("on")
		}
		return Result{}, nil
	}, r.emit, still); err != nil {
		t.Fatal(err)
	}
	if r.atOnce || len(r.events) != 50*22 {
		t.Errorf("two at once: %v; %d events, want %d", r.atOnce, len(r.events), 50*22)
	}
}

// A failure stops the steps that need it, directly or through others, and no others.
func TestFailure(t *testing.T) {
	t.Parallel()
	cause := errors.New("it is broken")
	steps := []plan.Step{step("west-a"), step("west-b", "west-a"), step("west-c", "west-b"), step("south-a"), step("south-b", "south-a"), step("both", "south-b", "west-c")}
	var r recorder
	outcome, err := Steps(t.Context(), steps, func(_ context.Context, s plan.Step, _ func(string)) (Result, error) {
		if s.ID == "west-a" {
			return Result{Wrote: true}, cause
		}
		return Result{}, nil
	}, r.emit, still)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Kind{"west-a": Failed, "west-b": Skipped, "west-c": Skipped, "both": Skipped, "south-a": Done, "south-b": Done}
	if !maps.Equal(outcome.Steps, want) {
		t.Errorf("the steps came to %v, want %v", outcome.Steps, want)
	}
	// The cause is the step that failed, not the skipped one in between.
	for _, event := range []string{"failed west-a", "skipped west-b west-a", "skipped west-c west-a", "skipped both west-a"} {
		if r.index(event) < 0 {
			t.Errorf("%q is not among %q", event, r.events)
		}
	}
	if len(outcome.Errors) != 1 || !errors.Is(outcome.Errors["west-a"], cause) {
		t.Errorf("the errors are %v", outcome.Errors)
	}
	if !outcome.Wrote {
		t.Error("what a step wrote before it failed is forgotten")
	}
	if outcome.Interrupted {
		t.Error("a failure is no interruption")
	}
}

// An interrupted run ends: running steps are cancelled, others are not begun, and neither counts as a failure.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	steps := []plan.Step{step("done"), step("running", "done"), step("late", "running")}
	var r recorder
	outcome, err := Steps(ctx, steps, func(ctx context.Context, s plan.Step, _ func(string)) (Result, error) {
		switch s.ID {
		case "running":
			cancel()
			<-ctx.Done()
			return Result{Wrote: true}, ctx.Err()
		case "late":
			t.Error("a step begins after the interruption")
		}
		return Result{}, nil
	}, r.emit, still)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Kind{"done": Done, "running": Cancelled, "late": Cancelled}
	if !maps.Equal(outcome.Steps, want) || !outcome.Interrupted || !outcome.Wrote || len(outcome.Errors) != 0 {
		t.Errorf("the outcome is %+v", outcome)
	}
}

// A step that ends well in spite of the interruption is done.
func TestDoneInSpiteOfInterruption(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	outcome, err := Steps(ctx, []plan.Step{step("a")}, func(context.Context, plan.Step, func(string)) (Result, error) {
		cancel()
		return Result{}, nil
	}, func(Event) {}, still)
	if err != nil || outcome.Steps["a"] != Done || outcome.Interrupted {
		t.Errorf("got %+v, %v", outcome, err)
	}
}

// Running out of time is a failure with its reason, not an interruption.
func TestOutOfTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reason := errors.New("--timeout 5m has passed")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Minute, reason)
		defer cancel()
		steps := []plan.Step{step("waits"), step("after", "waits"), step("ends-late"), step("next", "ends-late"), step("last", "next")}
		var r recorder
		outcome, err := Steps(ctx, steps, func(ctx context.Context, s plan.Step, _ func(string)) (Result, error) {
			<-ctx.Done()
			if s.ID == "waits" {
				return Result{}, context.Cause(ctx)
			}
			return Result{}, nil // such as one that only renders
		}, r.emit, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]Kind{"waits": Failed, "after": Skipped, "ends-late": Done, "next": Failed, "last": Skipped}
		if !maps.Equal(outcome.Steps, want) || outcome.Interrupted {
			t.Errorf("the outcome is %+v", outcome)
		}
		for _, id := range []string{"waits", "next"} {
			if !errors.Is(outcome.Errors[id], reason) {
				t.Errorf("%s failed with %v, which is not the reason", id, outcome.Errors[id])
			}
		}
	})
}

func TestTook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var took []time.Duration
		_, err := Steps(t.Context(), []plan.Step{step("a")}, func(_ context.Context, _ plan.Step, say func(string)) (Result, error) {
			<-time.After(2 * time.Second)
			say("still waiting")
			<-time.After(time.Second)
			return Result{}, nil
		}, func(e Event) { took = append(took, e.Took) }, time.Now)
		if want := []time.Duration{0, 2 * time.Second, 3 * time.Second}; err != nil || !slices.Equal(took, want) {
			t.Errorf("got %v, %v, want %v", took, err, want)
		}
	})
}

func TestPlansThatCantRun(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		steps []plan.Step
		want  string
	}{
		{"a step twice", []plan.Step{step("a"), step("b"), step("a")}, "the plan has step a twice"},
		{"a need that is not there", []plan.Step{step("a", "gone")}, "step a needs gone, which is not in the plan"},
		{"itself", []plan.Step{step("a", "a")}, "step a needs itself"},
		{"a circle", []plan.Step{step("a", "b"), step("b", "c"), step("c", "a")}, "step a needs itself"},
		{"a circle behind a step", []plan.Step{step("x", "a"), step("a", "b"), step("b", "a")}, "step a needs itself"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Steps(t.Context(), test.steps, func(_ context.Context, s plan.Step, _ func(string)) (Result, error) {
				t.Errorf("%s runs in a plan that can't", s.ID)
				return Result{}, nil
			}, func(e Event) { t.Errorf("there is an event %+v", e) }, still)
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if outcome, err := Steps(t.Context(), nil, nil, nil, still); err != nil || outcome.Wrote || len(outcome.Steps) != 0 {
		t.Errorf("an empty plan: %+v, %v", outcome, err)
	}
}
