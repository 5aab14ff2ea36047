package cmd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/execute"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// options are those that all commands share.
type options struct {
	genericiooptions.IOStreams
	flags    *genericclioptions.ConfigFlags
	getenv   func(string) string
	noColour bool
	verbose  bool
	// caller is what printed commands carry along of this call.
	caller command.Caller

	// Of the commands that write.
	timeout        time.Duration
	wait           bool
	yes            bool
	forceConflicts bool
	revision       string
	charts         istio.Charts
	resetSettings  bool
	// changed says whether a flag was given.
	changed func(flag string) bool
	objects objects
}

func (o *options) addWriteFlags(c *cobra.Command) {
	f := c.Flags()
	durationVar(f, &o.timeout, "timeout", 5*time.Minute, "How long the whole command may take")
	f.BoolVar(&o.wait, "wait", true, "Wait until what was written works")
	f.BoolVarP(&o.yes, "yes", "y", false, "Do not ask before writing (it is asked on a terminal only)")
	f.BoolVar(&o.forceConflicts, "force-conflicts", false, "Take fields over that another field manager owns")
	f.StringVar(&o.revision, "revision", "", "The control plane's revision")
	o.addObjectFlags(c)
}

func (o *options) addChartFlags(c *cobra.Command) {
	f := c.Flags()
	o.changed = f.Changed
	f.BoolVar(&o.resetSettings, "reset-settings", false, "Forget the settings of the last run; without it, those that are not given anew are kept")
	f.StringArrayVarP(&o.charts.Files, "filename", "f", nil, "File with an overlay in IstioOperator form; may be given more than once")
	f.StringArrayVar(&o.charts.Set, "set", nil, "Setting as PATH=VALUE, as of istioctl install; wins over -f")
	f.StringVar(&o.charts.Dir, "manifests", "", "Folder with the manifests of another Istio release (charts and profiles)")
	mustComplete(c, map[string]cobra.CompletionFunc{"filename": completeFiles("yaml", "yml", "json"), "manifests": completeFolders})
}

// bounded ends ctx when --timeout has passed.
func bounded(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, timeout, fmt.Errorf("--timeout %s has passed", timeout))
}

// errStyle is how stderr is written to.
func (o *options) errStyle() report.Style { return report.StyleOf(o.ErrOut, o.noColour, o.getenv) }

// outStyle is how stdout is written to.
func (o *options) outStyle() report.Style { return report.StyleOf(o.Out, o.noColour, o.getenv) }

// newMesh makes the mesh of --context and the given remotes, with every context known to be there.
func (o *options) newMesh(args []string) (mesh.Mesh, error) {
	contexts, current, err := cluster.Contexts(o.flags)
	if err != nil {
		return mesh.Mesh{}, err
	}
	primary := current
	if *o.flags.Context != "" {
		primary = *o.flags.Context
	}
	m := mesh.Mesh{
		Namespace: *o.flags.Namespace, Revision: o.revision,
		Clusters: []mesh.Cluster{{Context: primary, Role: mesh.Primary}},
	}
	if err := m.ValidateNames(); err != nil {
		return m, usage("%w", err)
	}
	if primary == "" && *o.flags.APIServer == "" && !cluster.InCluster() {
		if missing := cluster.MissingFiles(o.flags); len(contexts) == 0 && missing != "" {
			return m, usage("there is no kubeconfig: %s does not exist", missing)
		}
		return m, usage("which cluster is the primary? Name its context with --context (the kubeconfig has no current one)")
	}
	if primary != "" && !slices.Contains(contexts, primary) {
		return m, usage("%w", &cluster.UnknownContextError{Context: primary, Known: contexts, Missing: cluster.MissingFiles(o.flags)})
	}
	if primary != "" {
		if err := cluster.ValidateContext(o.flags, primary, true); err != nil {
			return m, usage("%w", err)
		}
	}
	for _, arg := range args {
		ref, err := mesh.ParseClusterRef(arg, contexts)
		if err != nil {
			return m, usage("%w", err)
		}
		if !slices.Contains(contexts, ref.Context) {
			return m, usage("%w", &cluster.UnknownContextError{Context: ref.Context, Known: contexts, Missing: cluster.MissingFiles(o.flags)})
		}
		if err := cluster.ValidateContext(o.flags, ref.Context, false); err != nil {
			return m, usage("%w", err)
		}
		if ref.Context == primary {
			return m, usage("context %q is the primary itself (--context): a remote is another cluster", primary)
		}
		if err := mesh.ValidateClusterName(ref.Name); err != nil {
			return m, usage("%w", err)
		}
		m.Clusters = append(m.Clusters, mesh.Cluster{Name: ref.Name, Named: ref.Named, Context: ref.Context, Role: mesh.Remote})
	}
	return m, nil
}

// next is the command that comes next, for the same primary and revision, as a line for a shell.
func (o *options) next(m mesh.Mesh, subcommand string, args ...string) string {
	return report.Plain(o.caller.Mesh(m, subcommand, args...).String())
}

// session is a mesh with everything known that a command needs to decide.
type session struct {
	mesh     mesh.Mesh
	clusters cluster.Set
	snapshot *snapshot.Snapshot
	// recorded are the names under which the primary knows remotes already, by those that their contexts would give them.
	recorded map[string]string
	// settings are the charts with each cluster's settings, by name.
	settings map[string]istio.Charts
}

// depth is how much a command looks at.
type depth int

const (
	// lookAround is what every command needs.
	lookAround depth = iota
	// lookDeep is for a judgement of a finished mesh.
	lookDeep
	// lookAtObstacles is for a judgement before there is one.
	lookAtObstacles
)

// look connects to all clusters of the mesh at once and reads them. Nothing is judged and nothing written.
func (o *options) look(ctx context.Context, m mesh.Mesh, stages ...plan.Stage) (*session, error) {
	return o.lookFor(ctx, m, stages, lookAround, acquaintance{})
}

// acquaintance is what a command that has called the primary before it looks around need not do again.
type acquaintance struct {
	// primary is its client.
	primary *cluster.Cluster
	// secrets are its remote secrets; nil where they were not read.
	secrets []snapshot.RemoteSecret
	// silent are the clusters that do not answer, by the keys of the session, and why.
	silent map[string]error
	// others are clusters that are reached otherwise than through a context.
	others cluster.Set
}

// lookFor is look for a judgement: with the permissions of several stages asked for, and more to look at.
func (o *options) lookFor(ctx context.Context, m mesh.Mesh, stages []plan.Stage, how depth, met acquaintance) (*session, error) {
	s := &session{mesh: m, clusters: cluster.Set{}}
	var onPrimary, onRemote []snapshot.Permission
	for _, stage := range stages {
		p, r := plan.Permissions(stage, m.Namespace)
		onPrimary, onRemote = union(onPrimary, p), union(onRemote, r)
	}
	permissions := map[string][]snapshot.Permission{}
	for _, c := range m.Clusters {
		primary := c.Role == mesh.Primary
		key, asked := c.Name, onRemote
		if primary {
			key, asked = plan.PrimaryKey, onPrimary
		}
		if c.Context == "" && !primary {
			if other := met.others[c.Name]; other != nil {
				s.clusters[key] = other
			}
			continue
		}
		if _, twice := s.clusters[key]; twice {
			return nil, usage("two of the given contexts would be cluster %q: give one another name with NAME=CONTEXT", c.Name)
		}
		connected := met.primary
		if !primary || connected == nil {
			var err error
			if connected, err = cluster.Connect(o.flags, key, c.Context, primary); err != nil {
				return nil, err
			}
		}
		s.clusters[key], permissions[key] = connected, asked
	}
	options := observe.Options{
		Namespace: m.Namespace, Permissions: permissions, Deep: how == lookDeep, Obstacles: how == lookAtObstacles,
		Silent: met.silent, Attached: slices.Contains(stages, plan.AttachRemote),
	}
	if met.secrets != nil {
		options.RemoteSecrets = map[string][]snapshot.RemoteSecret{plan.PrimaryKey: met.secrets}
	}
	if options.Attached || options.Deep {
		options.Identify = []string{plan.PrimaryKey}
	}
	var err error
	if s.snapshot, err = observe.Read(ctx, s.clusters, options); err != nil {
		return nil, err
	}
	if slices.Contains(stages, plan.ConvertRemote) {
		return s, nil // whoever its primary is
	}
	return s, o.findPrimary(ctx, s)
}

// union adds the permissions that are not there yet.
func union(all, more []snapshot.Permission) []snapshot.Permission {
	for _, p := range more {
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}

// recognize gives the remotes that the primary has already the names under which it has them.
func (s *session) recognize() {
	s.recorded = plan.Recorded(s.mesh, s.snapshot)
	clusters, seen := maps.Clone(s.clusters), maps.Clone(s.snapshot.Clusters)
	for was := range s.recorded { // before the new names come in: two may have changed theirs for one another's
		delete(clusters, was)
		delete(seen, was)
	}
	for was, is := range s.recorded {
		if c := s.clusters[was]; c != nil {
			c.Name, clusters[is] = is, c
		}
		if c := s.snapshot.Clusters[was]; c != nil {
			c.Name, seen[is] = is, c
		}
	}
	s.clusters, s.snapshot.Clusters = clusters, seen
	s.mesh.Clusters = slices.Clone(s.mesh.Clusters)
	for i, c := range s.mesh.Clusters {
		if is, known := s.recorded[c.Name]; known && c.Role == mesh.Remote {
			s.mesh.Clusters[i].Name = is
		}
	}
}

// complete fills the mesh in with what the primary says, and gives the remotes that it has, and itself, their names
// everywhere.
func (s *session) complete() error {
	s.recognize()
	m, err := plan.Complete(s.mesh, s.snapshot)
	if err != nil {
		return &exitError{ExitUsage, err}
	}
	s.mesh = m
	primary, _ := m.Primary()
	if _, taken := s.clusters[primary.Name]; taken && primary.Name != plan.PrimaryKey {
		return usage("the name %q is the primary's own: give the other cluster another one with NAME=CONTEXT", primary.Name)
	}
	plan.Rename(s.snapshot, primary.Name)
	if c := s.clusters[plan.PrimaryKey]; c != nil && primary.Name != plan.PrimaryKey {
		c.Name = primary.Name
		s.clusters[primary.Name] = c
		delete(s.clusters, plan.PrimaryKey)
	}
	return nil
}

// refuse says why a command must not write, from the checks that stand before it; nil when nothing does.
func (o *options) refuse(subcommand string, s *session) error {
	results := check.Gate(subcommand, s.mesh, s.snapshot, o.supported(), o.caller)
	failed := map[string]bool{}
	for _, r := range results {
		failed[r.Cluster] = failed[r.Cluster] || r.Status == check.Fail
	}
	var causes []error
	for _, r := range results {
		// What could not be looked at matters only where nothing worse is known, such as a lacking permission. That a cluster
		// does not answer always does.
		if r.Status != check.Fail && (r.Status != check.Unknown || failed[r.Cluster] && r.ID != "reachable") {
			continue
		}
		text := fmt.Sprintf("%s: %s (%s)", r.Cluster, r.Seen, r.ID)
		causes = append(causes, errors.New(strings.TrimSuffix(text+"\n"+report.Fix(r.Fix, "  "), "\n")))
	}
	if causes == nil {
		return nil
	}
	return fmt.Errorf("%w\nNothing was written", errors.Join(causes...))
}

func (o *options) supported() check.Charts {
	return check.Charts{Release: o.charts.Release(), OldestKubernetes: istio.OldestKubernetes}
}

// names are those of the mesh's clusters, the primary's first.
func (s *session) names() []string {
	var names []string
	for _, c := range s.mesh.Clusters {
		names = append(names, c.Name)
	}
	return names
}

// carryOut asks, and runs the steps with progress on stderr; their errors are in the outcome.
func (o *options) carryOut(ctx context.Context, s *session, steps []plan.Step) (run.Outcome, error) {
	if err := o.objects.choose(steps); err != nil {
		return run.Outcome{}, err
	}
	if err := o.ask(ctx, steps); err != nil {
		return run.Outcome{}, err
	}
	progress := report.NewProgress(o.ErrOut, o.errStyle(), o.verbose, s.names())
	progress.Start()
	outcome, err := o.runSteps(ctx, s, steps, progress.Event)
	progress.Stop()
	if err == nil && o.objects.shown() {
		err = o.show(steps)
	}
	return outcome, err
}

func (o *options) runSteps(ctx context.Context, s *session, steps []plan.Step, emit func(run.Event)) (run.Outcome, error) {
	executor := &execute.Executor{
		Mesh: s.mesh, Clusters: s.clusters, Caller: o.caller, Charts: o.charts, Settings: s.settings, ForceConflicts: o.forceConflicts,
		Version: Version(), Holder: holder(),
		DryRun: o.objects.how(), Done: func(step plan.Step, result apply.Result) { o.objects.done(step, partOf(step, s.mesh), result) },
	}
	defer executor.Release(ctx)
	return run.Steps(ctx, steps, executor.Do, emit, time.Now)
}

// failure turns what became of the steps into the command's error: nil when all are done.
func failure(outcome run.Outcome, steps []plan.Step) error {
	var causes []error
	undone := 0
	for _, step := range steps {
		if err := outcome.Errors[step.ID]; err != nil {
			causes = append(causes, fmt.Errorf("%s: %w", step.Title, err))
		}
		if outcome.Steps[step.ID] != run.Done {
			undone++
		}
	}
	switch {
	case outcome.Interrupted:
		return &exitError{ExitInterrupted, fmt.Errorf(
			"interrupted with %d of %d steps done. What is done stays; the same command does the rest", len(steps)-undone, len(steps))}
	case causes != nil:
		return fmt.Errorf("%w\n%d of %d steps are done. Once the cause is fixed, the same command does the rest",
			errors.Join(causes...), len(steps)-undone, len(steps))
	}
	return nil
}
