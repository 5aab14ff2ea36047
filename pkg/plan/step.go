// Package plan turns a wanted mesh and a Snapshot into steps. It is pure: no client, no clock, no network. A step is
// data; what carries it out is pkg/execute, and what orders and times them pkg/run.
package plan

// Stage is the command that a step belongs to. A command runs the slice of the plan that carries its name.
type Stage string

// The stages, in the order in which a mesh is built.
const (
	InstallPrimary Stage = "install-primary"
	// ConvertRemote is what install-primary does in addition to another primary's remote.
	ConvertRemote Stage = "install-primary --convert-remote"
	ExposeIstiod  Stage = "expose-istiod"
	AttachRemote  Stage = "attach-remote"
	// LinkPrimaries is what several primaries need of each other. No command makes such a mesh yet.
	LinkPrimaries Stage = "link"
	// DetachRemote takes a remote out of a mesh. No command does so yet.
	DetachRemote Stage = "detach-remote"
)

// Step is one thing to do on one cluster.
type Step struct {
	// ID is unique in the plan: CLUSTER/WHAT.
	ID string
	// Cluster is the name of the cluster on which it is done.
	Cluster string
	// Stage is the command that it belongs to.
	Stage Stage
	// Title says what happens, for the person at the terminal, without a full stop.
	Title string
	// MayAlso is what the step may do beside what its title says, where nothing else helps; empty for most.
	MayAlso string
	// Needs are the ids of the steps that must be done first.
	Needs []string
	// Action is what to do.
	Action Action
}

// Writes says whether the step changes a cluster.
func (s Step) Writes() bool { return s.Action.describe().writes }

// Concerns is true for a step that is done on a remote, or on another cluster for it.
func (s Step) Concerns(remote string) bool {
	return s.Cluster == remote || s.Action.describe().remote == remote
}

// DryRun returns the steps that write, each by itself: a dry run waits for nothing, since nothing comes of it.
func DryRun(steps []Step) []Step {
	var writing []Step
	for _, s := range steps {
		if s.Writes() {
			s.Needs = nil
			writing = append(writing, s)
		}
	}
	return writing
}

// Slice returns the steps of the given stages. What they need of other stages is taken to be done.
func Slice(steps []Step, stages ...Stage) []Step {
	kept := map[string]bool{}
	var slice []Step
	for _, s := range steps {
		for _, stage := range stages {
			if s.Stage == stage {
				slice = append(slice, s)
				kept[s.ID] = true
			}
		}
	}
	for i, s := range slice {
		var needs []string
		for _, need := range s.Needs {
			if kept[need] {
				needs = append(needs, need)
			}
		}
		slice[i].Needs = needs
	}
	return slice
}
