// Package app has what every command does: from the names that the user gave to connected clusters, to a snapshot of
// them, a judgement, a plan and a run. It prints nothing and knows no flags: pkg/cmd makes requests of the flags, and
// shows what comes of them.
package app

import (
	"context"
	"slices"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Session is what all commands need to know of the user's call.
type Session struct {
	// Kubeconfig are kubectl's flags: which kubeconfig, which context is the primary's, as whom to ask.
	Kubeconfig *genericclioptions.ConfigFlags
	// Namespace is Istio's.
	Namespace string
	// Revision is the control plane's; where it is empty, the primary says which.
	Revision string
	// Settings are those of the charts.
	Settings Settings
	// Write says how a command writes.
	Write WriteOptions
	// Caller is what shown commands carry along of the user's call.
	Caller command.Caller
	// Version is kubectl-mesh's own, recorded with what it applies.
	Version string
}

// WriteOptions say how a command writes.
type WriteOptions struct {
	// DryRun keeps nothing of what is applied; empty and DryRunNone keep it.
	DryRun apply.DryRun
	// Wait waits until what was written works.
	Wait bool
	// ForceConflicts takes fields over from other field managers.
	ForceConflicts bool
}

func (o WriteOptions) dry() bool { return o.DryRun != "" && o.DryRun != apply.DryRunNone }

// charts is what the session's charts can install.
func (s Session) charts() check.Charts {
	return check.Charts{Release: s.Settings.Charts.Release(), OldestKubernetes: istio.OldestKubernetes}
}

// state is a mesh, and all that a command knows of its clusters.
type state struct {
	mesh     mesh.Mesh
	clusters cluster.Set
	snapshot *snapshot.Snapshot
	// primaryKey is the name of the primary in clusters and snapshot.
	primaryKey string
}

// primary is what was seen of the primary; nil if nothing was.
func (st *state) primary() *snapshot.Cluster { return st.snapshot.Clusters[st.primaryKey] }

// scope says what to look at, beside what every command needs.
type scope struct {
	// stages are those whose permissions are asked about.
	stages []plan.Stage
	// finished adds what the judgement of a finished mesh needs.
	finished bool
	// obstacles adds what may stand in the way of a mesh that is not there yet.
	obstacles bool
	// contacted is what is known already.
	contacted contacted
}

// contacted is what a command that has called clusters before it looks at all of them need not do again.
type contacted struct {
	// primary is connected; nil if it is not yet.
	primary *cluster.Cluster
	// secrets are the primary's remote secrets; nil where they were not read.
	secrets []snapshot.RemoteSecret
	// silent are the clusters that do not answer, and why, by their names.
	silent map[string]error
	// answered are those that do, with their UIDs as far as they are known.
	answered map[string]string
	// throughSecrets are the clusters that are reached with the credentials of a remote secret, by their names.
	throughSecrets cluster.Set
}

// look connects to all clusters of a mesh at once and reads them. Nothing is judged and nothing written.
func (s Session) look(ctx context.Context, m mesh.Mesh, sc scope) (*state, error) {
	clusters, err := s.connect(m, sc.contacted)
	if err != nil {
		return nil, err
	}
	options := observe.Options{
		Namespace: m.Namespace, Permissions: permissions(m, sc.stages), Deep: sc.finished, Obstacles: sc.obstacles,
		Silent: sc.contacted.silent, Answered: sc.contacted.answered, Attached: slices.Contains(sc.stages, plan.AttachRemote),
	}
	primary, _ := m.Primary()
	key := keyOf(primary)
	if sc.contacted.secrets != nil {
		options.RemoteSecrets = map[string][]snapshot.RemoteSecret{key: sc.contacted.secrets}
	}
	if options.Attached || options.Deep {
		options.Identify = []string{key}
	}
	found, err := observe.Read(ctx, clusters, options)
	if err != nil {
		return nil, err
	}
	st := &state{mesh: m, clusters: clusters, snapshot: found, primaryKey: key}
	if slices.Contains(sc.stages, plan.ConvertRemote) {
		return st, nil // whoever its primary is
	}
	return st, s.findOwner(ctx, st)
}

// connect makes the clients of a mesh's clusters. A remote to which neither a context nor a remote secret leads has none.
func (s Session) connect(m mesh.Mesh, known contacted) (cluster.Set, error) {
	clusters := cluster.Set{}
	for _, c := range m.Clusters {
		key, primary := keyOf(c), c.Role == mesh.Primary
		if c.Context == "" && !primary {
			if reached := known.throughSecrets[c.Name]; reached != nil {
				clusters[key] = reached
			}
			continue
		}
		if _, twice := clusters[key]; twice {
			return nil, usage("two of the given contexts would be cluster %q: give one another name with NAME=CONTEXT", c.Name)
		}
		if primary && known.primary != nil {
			clusters[key] = known.primary
			continue
		}
		connected, err := cluster.Connect(s.Kubeconfig, key, c.Context, primary)
		if err != nil {
			return nil, err
		}
		clusters[key] = connected
	}
	return clusters, nil
}

// permissions are those that stages need in each cluster of a mesh to which a context leads.
func permissions(m mesh.Mesh, stages []plan.Stage) map[string][]snapshot.Permission {
	var onPrimary, onRemote []snapshot.Permission
	for _, stage := range stages {
		primary, remote := plan.Permissions(stage, m.Namespace)
		onPrimary, onRemote = union(onPrimary, primary), union(onRemote, remote)
	}
	asked := map[string][]snapshot.Permission{}
	for _, c := range m.Clusters {
		switch {
		case c.Role == mesh.Primary:
			asked[keyOf(c)] = onPrimary
		case c.Context != "":
			asked[keyOf(c)] = onRemote
		}
	}
	return asked
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
