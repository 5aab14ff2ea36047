package check

import "github.com/kubectl-mesh/kubectl-mesh/pkg/command"

// Told is a result of a scenario.
type Told struct {
	Scenario string
	Result
}

// ToldOfAll are the results of all scenarios for a caller, in a namespace, with contexts that are named so.
func ToldOfAll(caller command.Caller, namespace string, contextOf func(cluster string) string) []Told {
	var told []Told
	for _, s := range all() {
		change := s.change
		s.change = func(w *world) {
			change(w)
			w.caller, w.mesh.Namespace = caller, namespace
			for name := range w.snapshot.Primaries {
				w.snapshot.Primaries[name] = contextOf(name)
			}
			for i := range w.mesh.Clusters {
				if c := &w.mesh.Clusters[i]; c.Context != "" {
					c.Context = contextOf(c.Name)
					if seen := w.snapshot.Clusters[c.Name]; seen != nil {
						seen.Context = c.Context
					}
				}
			}
		}
		for _, r := range s.results() {
			told = append(told, Told{s.name, r})
		}
	}
	return told
}
