package check

import "github.com/kubectl-mesh/kubectl-mesh/pkg/command"

// ScenarioResult is a result of a scenario.
type ScenarioResult struct {
	Scenario string
	Result
}

// ResultsOfScenarios are the results of all scenarios for a caller, in a namespace, with contexts that are named so.
func ResultsOfScenarios(caller command.Caller, namespace string, contextOf func(cluster string) string) []ScenarioResult {
	var got []ScenarioResult
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
			got = append(got, ScenarioResult{s.name, r})
		}
	}
	return got
}
