package check

import (
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func commands() []string { return []string{"", BeforeInstall, BeforeExpose, BeforeAttach} }

func all() []scenario {
	return slices.Concat(clusterScenarios(), primaryScenarios(), remoteScenarios(), evidenceScenarios(), hostnameScenarios(), preflightScenarios(), trafficScenarios(), contextScenarios(), dialScenarios(), ownerScenarios(), networksScenarios(), topologyScenarios())
}

func TestAll(t *testing.T) {
	t.Parallel()
	var earlier []string
	for _, c := range All() {
		if slices.Contains(earlier, c.ID) {
			t.Errorf("the id %s is there twice", c.ID)
		}
		for _, need := range c.Needs {
			if !slices.Contains(earlier, need) {
				t.Errorf("%s needs %s, which is not asked before it", c.ID, need)
			}
		}
		if !c.Verify && c.Before == nil && !c.Preflight {
			t.Errorf("nobody asks %s", c.ID)
		}
		if c.Title == "" || strings.HasSuffix(c.Title, ".") {
			t.Errorf("%s has the title %q", c.ID, c.Title)
		}
		for _, command := range c.Before {
			if !slices.Contains(commands()[1:], command) {
				t.Errorf("%s stands before the command %q, which there is not", c.ID, command)
			}
		}
		earlier = append(earlier, c.ID)
	}
}

func TestHealthyPasses(t *testing.T) {
	t.Parallel()
	for _, asker := range commands() {
		results := scenario{command: asker, change: func(*world) {}}.results()
		if worst := Worst(results); worst != Pass {
			t.Errorf("%q: a healthy mesh comes to %s", asker, worst)
		}
		name := asker
		if name == "" {
			name = "verify"
		}
		golden.Equal(t, "healthy-"+name+".txt", lines(results, func(Result) bool { return true }))
	}
}

// A check that never says anything but "passed" is none.
func TestEveryCheckTells(t *testing.T) {
	t.Parallel()
	got := map[string]bool{}
	for _, s := range all() {
		for _, r := range s.results() {
			if r.Status == Fail || r.Status == Warn {
				got[r.ID] = true
				if r.Seen == "" || r.Fix.empty() && r.ID != "kubernetes-version" {
					t.Errorf("%s: %s says %q, and to do %+v", s.name, r.ID, r.Seen, r.Fix)
				}
			}
		}
	}
	for _, c := range All() {
		if !got[c.ID] {
			t.Errorf("no scenario makes %s tell anything", c.ID)
		}
	}
}

func TestSkippedNameTheirReason(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, c := range All() {
		ids[c.ID] = true
	}
	for _, s := range all() {
		results := s.results()
		for _, r := range results {
			if r.Status != Skip {
				continue
			}
			if need := r.Needs; need != "" && !ids[need] {
				t.Errorf("%s: %s is skipped since it needs %q, which is no check", s.name, r.ID, need)
			}
			if !r.Fix.empty() {
				t.Errorf("%s: %s is skipped and asks for %+v", s.name, r.ID, r.Fix)
			}
		}
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	order := []Status{Pass, Skip, Warn, Unknown, Fail}
	if got := Worst(nil); got != Pass {
		t.Errorf("of nothing: %s", got)
	}
	for i, worse := range order {
		for _, better := range order[:i+1] {
			if got := Worst([]Result{{Status: worse}, {Status: better}}); got != worse {
				t.Errorf("the worst of %s and %s is %s", worse, better, got)
			}
		}
	}
}

// A cluster that was not looked at, for whatever reason, is not a healthy one.
func TestClusterNotLookedAt(t *testing.T) {
	t.Parallel()
	w := healthy()
	delete(w.snapshot.Clusters, "west")
	w.snapshot.Traffic = nil
	w.cluster("west").Context = ""
	results := Verify(w.mesh, w.snapshot, w.charts, command.Caller{})
	for _, r := range results {
		if r.Cluster == "west" && r.Status == Pass && !fromPrimary(r.ID) {
			t.Errorf("%s passes for a cluster that nobody has seen: %s", r.ID, r.Seen)
		}
	}
	golden.Equal(t, "not-looked-at.txt", lines(results, func(r Result) bool { return r.Cluster == "west" }))
}

func TestNoPrimary(t *testing.T) {
	t.Parallel()
	m := mesh.Mesh{Namespace: "istio-system", Clusters: []mesh.Cluster{{Name: "west", Context: "ctx-west", Role: mesh.Remote}}}
	s := &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{"west": healthy().west()}}
	if worst := Worst(Verify(m, s, charts(), command.Caller{})); worst == Fail {
		t.Errorf("without a primary there is nothing to compare with, but it comes to %s", worst)
	}
}
