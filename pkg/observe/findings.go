package observe

import (
	"context"
	"sync"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// findings collects what is found about the clusters of a snapshot, at once and by many, to make another snapshot of it.
type findings struct {
	mu    sync.Mutex
	notes map[string][]func(*snapshot.Cluster)
}

// add notes something about a cluster.
func (f *findings) add(cluster string, note func(*snapshot.Cluster)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.notes == nil {
		f.notes = map[string][]func(*snapshot.Cluster){}
	}
	f.notes[cluster] = append(f.notes[cluster], note)
}

// couldNot notes that a part of a cluster could not be read before ctx ended.
func (f *findings) couldNot(ctx context.Context, cluster, what string, err error) {
	unreadable := CouldNot(ctx, what, err)
	f.add(cluster, func(c *snapshot.Cluster) { c.Unreadable = append(c.Unreadable, unreadable) })
}

// with is the snapshot with what was found.
func (f *findings) with(s *snapshot.Snapshot) *snapshot.Snapshot {
	for name, notes := range f.notes {
		if s.Clusters[name] == nil {
			continue
		}
		c := s.Clusters[name].Clone()
		for _, note := range notes {
			note(c)
		}
		s = s.With(name, c)
	}
	return s
}
