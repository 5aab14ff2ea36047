package plan

import (
	"slices"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Options are the user's choices that are not part of the mesh itself.
type Options struct {
	// Profile is Istio's profile for the primary; empty means the control plane alone.
	Profile string
	// Gateway are the choices for the east-west gateway.
	Gateway GatewayOptions
	// Wait adds the steps that wait until what was written works.
	Wait bool
	// NoRestart forbids restarting istiod.
	NoRestart bool
}

// GatewayOptions are the choices for the east-west gateway. What is left empty stays as it is in the cluster.
type GatewayOptions struct {
	Address      string
	SourceRanges []string
	Annotations  map[string]string
}

// Build makes the whole plan of a mesh: its control planes with their east-west gateways, the clusters that they serve, and
// the credentials with which they read each other's; and takes out what is to leave the mesh. The mesh must be complete (see
// Complete) and judged fit (pkg/check).
func Build(m mesh.Mesh, s *snapshot.Snapshot, o Options) []Step {
	b := builder{mesh: m, snapshot: s, options: o, dropped: map[string][]string{}}
	for _, primary := range m.Primaries() {
		b.addPrimary(primary)
		b.addGateway(primary)
	}
	for _, primary := range m.Primaries() {
		for _, remote := range m.ServedBy(primary) {
			b.addRemote(primary, remote)
		}
	}
	for _, primary := range m.Primaries() {
		b.addLinks(primary)
	}
	for _, remote := range m.Leaving() {
		b.addDetachment(remote)
	}
	return b.steps
}

type builder struct {
	mesh     mesh.Mesh
	snapshot *snapshot.Snapshot
	options  Options
	steps    []Step
	// dropped are the needs of the steps that were left out, by id.
	dropped map[string][]string
}

func (b *builder) add(stage Stage, cluster, what, title string, action Action, needs ...string) string {
	step := Step{ID: cluster + "/" + what, Cluster: cluster, Stage: stage, Title: title, Action: action, MayAlso: action.describe().mayAlso}
	step.Needs = b.kept(needs)
	if !step.Writes() && !b.options.Wait && !action.describe().provides {
		b.dropped[step.ID] = step.Needs
		return step.ID
	}
	b.steps = append(b.steps, step)
	return step.ID
}

// kept puts, in place of a wait that was dropped, what it would have waited for.
func (b *builder) kept(needs []string) []string {
	var kept []string
	for _, need := range needs {
		instead, dropped := b.dropped[need]
		if !dropped {
			instead = []string{need}
		}
		for _, id := range instead {
			if !slices.Contains(kept, id) {
				kept = append(kept, id)
			}
		}
	}
	return kept
}

func (b *builder) seen(cluster string) *snapshot.Cluster {
	if c := b.snapshot.Clusters[cluster]; c != nil {
		return c
	}
	return &snapshot.Cluster{}
}

// addAlways adds a step that --wait=false does not drop.
func (b *builder) addAlways(stage Stage, cluster, what, title string, action Action, needs ...string) string {
	wait := b.options.Wait
	b.options.Wait = true
	defer func() { b.options.Wait = wait }()
	return b.add(stage, cluster, what, title, action, needs...)
}

// ownsDefaultTag is true when this revision should answer for istio-injection=enabled: the default revision always,
// a named one when no other does (istio's operator/pkg/webhook, detectIfTagWebhookIsNeeded). Beside an injector of
// another revision it keeps off even without such a tag: that one may answer by itself, as Helm's does, and is not
// ours to switch off.
func (b *builder) ownsDefaultTag(cluster string) bool {
	if b.mesh.Revision == "" {
		return true
	}
	alone := true
	for _, injector := range b.seen(cluster).Injectors {
		if injector.Tag == mesh.DefaultRevision {
			return injector.Revision == b.mesh.Revision
		}
		alone = alone && injector.Revision == b.mesh.Revision
	}
	return alone
}

// revisioned is a name as Istio gives it to the objects of the mesh's revision.
func (b *builder) revisioned(name string) string { return wellknown.Revisioned(name, b.mesh.Revision) }
