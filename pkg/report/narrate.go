package report

import (
	"sync"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
)

// Narrator shows through a Progress what goes on in each cluster, for work that is no plan.
type Narrator struct {
	progress *Progress
	now      func() time.Time

	mu      sync.Mutex
	current map[string]run.Event
	since   map[string]time.Time
}

// NewNarrator makes a Narrator; now is the clock.
func NewNarrator(progress *Progress, now func() time.Time) *Narrator {
	return &Narrator{progress: progress, now: now, current: map[string]run.Event{}, since: map[string]time.Time{}}
}

// Say ends what a cluster did before and begins the next thing; nothing more begins with an empty what.
func (n *Narrator) Say(cluster, what string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if event, running := n.current[cluster]; running {
		event.Kind, event.Took = run.Done, n.now().Sub(n.since[cluster])
		n.progress.Event(event)
		delete(n.current, cluster)
	}
	if what == "" {
		return
	}
	event := run.Event{Kind: run.Started, Step: plan.Step{ID: cluster + "/" + what, Cluster: cluster, Title: what}}
	n.current[cluster], n.since[cluster] = event, n.now()
	n.progress.Event(event)
}
