package app

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// lookAtMesh looks at a finished mesh, all that a judgement needs: the primary and the named remotes or, when none is
// named, all that the primary knows. While it makes the calls that evidence needs, it calls meanwhile for what probes find,
// if that is not nil.
func (s Session) lookAtMesh(ctx context.Context, remotes []string, meanwhile func(*state, observe.Target) (*snapshot.Traffic, error)) (*state, error) {
	m, err := s.newMesh(remotes)
	if err != nil {
		return nil, err
	}
	m, known, err := s.withKnownRemotes(ctx, m)
	if err != nil {
		return nil, err
	}
	st, err := s.look(ctx, m, scope{finished: true, contacted: known})
	if err != nil {
		return nil, err
	}
	if len(remotes) == 0 {
		st.dropPrimarysName()
	}
	if _, err := st.complete(); err != nil {
		return nil, err
	}
	st.snapshot = observe.Analyze(ctx, st.snapshot, observe.Analysis{Clusters: names(st.mesh), Namespace: st.mesh.Namespace, Revision: st.mesh.RevisionLabel()})
	target := observe.Target{Primary: st.primaryKey, Namespace: st.mesh.Namespace, Revision: st.mesh.Revision}
	var live sync.WaitGroup
	seen := st.snapshot
	live.Go(func() { seen = observe.Live(ctx, st.clusters, seen, target) })
	var traffic *snapshot.Traffic
	if meanwhile != nil {
		traffic, err = meanwhile(st, target)
	}
	live.Wait()
	st.snapshot = seen.WithTraffic(traffic)
	return st, errors.Join(err, cancelled(ctx))
}

// withKnownRemotes gives the named remotes the names under which the primary knows them and, when none is named,
// adds all that the primary knows. A primary whose secrets can't be read leaves the mesh as it is: the checks will say so.
func (s Session) withKnownRemotes(ctx context.Context, m mesh.Mesh) (mesh.Mesh, contacted, error) {
	known, held, err := s.contactPrimary(ctx, m.Clusters[0])
	if err != nil || len(held) == 0 {
		return m, known, err
	}
	endpoints, err := cluster.Endpoints(s.Kubeconfig)
	if err != nil {
		return m, known, err
	}
	candidates := unidentified(endpoints)
	if len(m.Clusters) > 1 { // these are looked at, and known by their UIDs, later
		known.secrets, _ = observe.Follow(ctx, known.primary, held)
		return nameRemotes(m, known, candidates), known, nil
	}
	var failed []error
	var looks sync.WaitGroup
	looks.Go(func() { known.secrets, failed = observe.Follow(ctx, known.primary, held) })
	looks.Go(func() { s.identify(ctx, likelyCandidates(held, candidates), candidates) })
	looks.Wait()
	s.identify(ctx, otherCandidates(held, known.secrets, candidates), candidates)
	for i, secret := range known.secrets {
		if hasCluster(m, secret.Cluster) {
			continue
		}
		remote := mesh.Cluster{Name: secret.Cluster, Role: mesh.Remote}
		leading := leadingTo(secret, candidates, known.primary.Server)
		switch {
		case len(leading) > 0:
			remote.Context, known.silent[remote.Name] = leading[0].Context, leading[0].silent
			if leading[0].uid != "" {
				known.answered[remote.Name] = leading[0].uid
			}
		case secret.Server == "", facts.SameServer(secret.Server, known.primary.Server):
			remote.Context = contextNamed(secret.Cluster, endpoints) // its address says nothing of its cluster
		}
		if remote.Context == "" && held[i].Usable() { // it is called with the secret's own credentials
			// What is wrong with those of which no client can be made, the probe finds, too.
			if connected, err := cluster.ConnectWith(s.Kubeconfig, remote.Name, held[i].Secret, held[i].Config()); err == nil {
				known.throughSecrets[remote.Name], known.silent[remote.Name] = connected, failed[i]
				if secret.UID != "" {
					known.answered[remote.Name] = secret.UID
				}
			}
		}
		m.Clusters = append(m.Clusters, remote)
	}
	return m, known, nil
}

// contactPrimary connects to the primary and reads its remote secrets; none where it does not answer.
func (s Session) contactPrimary(ctx context.Context, c mesh.Cluster) (contacted, []istio.RemoteCredentials, error) {
	primary, err := cluster.Connect(s.Kubeconfig, keyOf(c), c.Context, true)
	if err != nil {
		return contacted{}, nil, err
	}
	bounded, cancel := observe.Bounded(ctx, observe.AnswerTimeout)
	defer cancel()
	held, err := istio.RemoteSecrets(bounded, primary.Kube(), s.Namespace)
	known := contacted{
		primary: primary, throughSecrets: cluster.Set{},
		silent: map[string]error{keyOf(c): observe.Silence(bounded, err)}, answered: map[string]string{},
	}
	if err == nil {
		known.answered[keyOf(c)] = ""
	}
	return known, held, nil
}

// nameRemotes gives the remotes of a mesh the names of the remote secrets that lead to them. The user's own names stay.
func nameRemotes(m mesh.Mesh, known contacted, candidates []candidate) mesh.Mesh {
	named := slices.Clone(m.Clusters[1:])
	m.Clusters = slices.Clone(m.Clusters[:1])
	for _, secret := range known.secrets {
		leading := leadingTo(secret, candidates, known.primary.Server)
		i := slices.IndexFunc(named, func(c mesh.Cluster) bool {
			return c.Name == secret.Cluster || !c.Named && slices.ContainsFunc(leading, func(p candidate) bool { return p.Context == c.Context })
		})
		if i < 0 || hasCluster(m, secret.Cluster) {
			continue
		}
		remote := named[i]
		remote.Name = secret.Cluster
		m.Clusters = append(m.Clusters, remote)
		named = slices.Delete(named, i, i+1)
	}
	m.Clusters = append(m.Clusters, named...)
	return m
}

// dropPrimarysName takes the remotes of secrets under the primary's own name, which istiod ignores, out of the mesh;
// name-duplicate tells of the secrets.
func (st *state) dropPrimarysName() {
	seen := st.primary()
	if seen == nil {
		return
	}
	for _, plane := range seen.ControlPlanes {
		st.mesh.Clusters = slices.DeleteFunc(slices.Clone(st.mesh.Clusters), func(c mesh.Cluster) bool {
			return c.Role == mesh.Remote && c.Name == plane.ClusterID
		})
		if plane.ClusterID != st.primaryKey {
			delete(st.clusters, plane.ClusterID)
			st.snapshot = st.snapshot.Without(plane.ClusterID)
		}
	}
}

// contextNamed is the context after which a cluster is named as attach-remote would name it.
func contextNamed(name string, endpoints []cluster.Endpoint) string {
	for _, e := range endpoints {
		if mesh.ClusterName(e.Context) == name {
			return e.Context
		}
	}
	return ""
}

func hasCluster(m mesh.Mesh, name string) bool {
	return slices.ContainsFunc(m.Clusters, func(c mesh.Cluster) bool { return c.Name == name })
}

// AttachedContext is a context that leads to a cluster which is attached to the primary.
type AttachedContext struct {
	Context string
	// Cluster is the name under which it is attached.
	Cluster string
}

// AttachedContexts are the contexts that lead, by their addresses, to clusters which are attached to the primary.
func (s Session) AttachedContexts(ctx context.Context) ([]AttachedContext, error) {
	primary, err := cluster.Connect(s.Kubeconfig, "", *s.Kubeconfig.Context, true)
	if err != nil {
		return nil, err
	}
	secrets, err := istio.RemoteSecrets(ctx, primary.Kube(), s.Namespace)
	if err != nil {
		return nil, err
	}
	endpoints, err := cluster.Endpoints(s.Kubeconfig)
	if err != nil {
		return nil, err
	}
	var attached []AttachedContext
	for _, secret := range secrets {
		for _, candidate := range leadingTo(observe.RemoteSecretOf(secret), unidentified(endpoints), primary.Server) {
			attached = append(attached, AttachedContext{Context: candidate.Context, Cluster: secret.Cluster})
		}
	}
	return attached, nil
}
