package app

import (
	"context"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
)

// AttachRemote asks to attach remotes to the primary.
type AttachRemote struct {
	// Remotes are the clusters, each CONTEXT or NAME=CONTEXT.
	Remotes []string
	// Servers are the addresses by which the primary reaches their API servers, each URL or NAME=URL; where none is given,
	// it is the kubeconfig's.
	Servers []string
	// Network is that of their pods; empty is the primary's.
	Network string
	// AllowUnconnectedNetwork attaches remotes of a network to which no call crosses.
	AllowUnconnectedNetwork bool
	// RestartIstiod restarts istiod where it has stopped processing remote secrets.
	RestartIstiod bool
}

// Attachment is the remotes that are about to be attached.
type Attachment struct {
	*Prepared
	// Recorded are the names under which the primary has remotes already, by those that their contexts would give them.
	Recorded map[string]string
	// NewServers are the remotes that are given another address than the primary has for them.
	NewServers []NewServer
}

// NewServer is another address of a remote's API server, since the one that the primary has does not work.
type NewServer struct {
	Remote string
	// Was is the address, and Error says what is wrong with it.
	Was, Error string
	// Is the one that takes its place.
	Is string
}

// PrepareAttach looks at the primary and the remotes, and plans what attaches them.
func (s Session) PrepareAttach(ctx context.Context, request AttachRemote) (*Attachment, error) {
	if err := s.Settings.Charts.Validate(); err != nil {
		return nil, usage("%w", err)
	}
	if err := s.Settings.Charts.ValidateRemote(); err != nil {
		return nil, usage("%w", err)
	}
	if err := mesh.ValidateNetwork(request.Network); err != nil {
		return nil, usage("%w", err)
	}
	m, err := s.newMesh(request.Remotes)
	if err != nil {
		return nil, err
	}
	if err := addServers(m.Clusters, request.Servers); err != nil {
		return nil, err
	}
	m.Unconnected = request.AllowUnconnectedNetwork
	for i := range m.Clusters {
		if m.Clusters[i].Role == mesh.Remote {
			m.Clusters[i].Network = request.Network
		}
	}
	st, err := s.look(ctx, m, scope{stages: []plan.Stage{plan.AttachRemote}})
	if err != nil {
		return nil, err
	}
	recorded, err := st.complete()
	if err != nil {
		return nil, err
	}
	if err := s.gate(check.BeforeAttach, st); err != nil {
		return nil, err
	}
	if err := st.mesh.Validate(); err != nil {
		return nil, usage("%w", err)
	}
	charts, kept, err := s.keepAll(ctx, st, mesh.Remote, wellknown.Revisioned(istio.RemoteSet, st.mesh.Revision))
	if err != nil {
		return nil, err
	}
	options := plan.Options{Wait: s.Write.Wait, NoRestart: !request.RestartIstiod}
	steps := plan.Slice(plan.Build(st.mesh, st.snapshot, options), plan.AttachRemote)
	return &Attachment{Prepared: s.prepare(st, steps, charts, kept), Recorded: recorded, NewServers: newServers(st)}, nil
}

// newServers are the remotes that are given the kubeconfig's address in the place of one that does not work.
func newServers(st *state) []NewServer {
	var servers []NewServer
	for _, c := range st.mesh.Remotes() {
		for _, secret := range st.primary().RemoteSecrets {
			there := st.snapshot.Clusters[c.Name]
			if secret.Cluster == c.Name && c.Server == "" && secret.Unidentified != nil && !facts.SameServer(secret.Server, there.Server) {
				servers = append(servers, NewServer{Remote: c.Name, Was: secret.Server, Error: secret.Unidentified.Error, Is: there.Server})
			}
		}
	}
	return servers
}

// Attached are the remotes that are attached, and those that are not, after the steps have run.
func (a *Attachment) Attached(outcome Outcome) (attached, failed []string) {
	for _, remote := range a.Mesh.Remotes() {
		if outcome.doneFor(remote.Name) {
			attached = append(attached, remote.Name)
		} else {
			failed = append(failed, remote.Name)
		}
	}
	return attached, failed
}

// doneFor is true when every step about a remote is done.
func (o Outcome) doneFor(remote string) bool {
	for _, step := range o.Steps {
		if step.Concerns(remote) && o.Run.Steps[step.ID] != run.Done {
			return false
		}
	}
	return true
}
