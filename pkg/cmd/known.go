package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// lookAtMesh looks at a finished mesh, all that a judgement needs: the primary of --context and the named remotes or, when
// none is named, all that the primary knows. While it makes the calls that evidence needs, it calls meanwhile.
func (o *options) lookAtMesh(ctx context.Context, args []string, meanwhile func(*session, probe.Target) error) (*session, error) {
	m, err := o.newMesh(args)
	if err != nil {
		return nil, err
	}
	m, met, err := o.withKnownRemotes(ctx, m)
	if err != nil {
		return nil, err
	}
	s, err := o.lookFor(ctx, m, nil, lookDeep, met)
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		s.dropNamesakes()
	}
	if err := s.complete(); err != nil {
		return nil, err
	}
	observe.Analyze(ctx, s.snapshot, observe.Analysis{Clusters: s.names(), Namespace: s.mesh.Namespace, Revision: s.mesh.RevisionLabel()})
	primary, found := s.mesh.Primary()
	if !found {
		return s, nil
	}
	target := probe.Target{Primary: primary.Name, Namespace: s.mesh.Namespace, Revision: s.mesh.Revision}
	var live sync.WaitGroup
	live.Go(func() { probe.Live(ctx, s.clusters, s.snapshot, target) })
	err = meanwhile(s, target)
	live.Wait()
	return s, errors.Join(err, cancelled(ctx))
}

// cancelled is an error where a signal has ended the look: what is missing then says nothing of the clusters.
func cancelled(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("interrupted while looking at the clusters; nothing was judged: %w", ctx.Err())
	}
	return nil
}

// withKnownRemotes gives the named remotes the names under which the primary knows them and, when none is named,
// adds all that the primary knows. A remote to which no context leads is added without one, and is met with the
// credentials of its secret. A primary whose secrets can't be read leaves the mesh as it is: the checks will say so.
func (o *options) withKnownRemotes(ctx context.Context, m mesh.Mesh) (mesh.Mesh, acquaintance, error) {
	primary, err := cluster.Connect(o.flags, plan.PrimaryKey, m.Clusters[0].Context, true)
	if err != nil {
		return m, acquaintance{}, err
	}
	bounded, cancel := observe.Bounded(ctx, observe.Patience)
	defer cancel()
	held, err := istio.RemoteSecrets(bounded, primary.Kube(), m.Namespace)
	met := acquaintance{
		primary: primary, others: cluster.Set{},
		silent: map[string]error{plan.PrimaryKey: observe.Silence(bounded, err)},
	}
	if err != nil || len(held) == 0 {
		return m, met, nil
	}
	endpoints, err := cluster.Endpoints(o.flags)
	if err != nil {
		return m, met, err
	}
	named := m.Clusters[1:]
	all := len(named) == 0
	places := unseen(endpoints)
	var failed []error
	var looks sync.WaitGroup
	looks.Go(func() { met.secrets, failed = observe.Follow(ctx, primary, held) })
	if all { // those that are named are looked at, and known by their UIDs, later
		looks.Go(func() { o.lookUp(ctx, m.Namespace, likely(held, places), places) })
	}
	looks.Wait()
	if all {
		o.lookUp(ctx, m.Namespace, overlooked(held, met.secrets, places), places)
	}
	m.Clusters = slices.Clone(m.Clusters[:1])
	for i, secret := range met.secrets {
		remote := mesh.Cluster{Name: secret.Cluster, Role: mesh.Remote}
		leads := leadingTo(secret, places, primary.Server)
		switch i := slices.IndexFunc(named, func(c mesh.Cluster) bool {
			return c.Name == secret.Cluster || !c.Named && slices.ContainsFunc(leads, func(p place) bool { return p.Context == c.Context })
		}); {
		case known(m.Clusters, secret.Cluster):
			continue
		case i >= 0:
			remote.Context, remote.Named = named[i].Context, named[i].Named
			named = slices.Delete(slices.Clone(named), i, i+1)
		case !all:
			continue
		case len(leads) > 0:
			remote.Context = leads[0].Context
			met.silent[remote.Name] = leads[0].silent
		case secret.Server == "", snapshot.SameServer(secret.Server, primary.Server):
			remote.Context = namesake(secret.Cluster, endpoints) // its address says nothing of its cluster
		}
		if remote.Context == "" && held[i].Usable() {
			// What is wrong with credentials of which no client can be made, the probe finds, too.
			if connected, err := cluster.ConnectWith(o.flags, remote.Name, held[i].Secret, held[i].Config()); err == nil {
				met.others[remote.Name], met.silent[remote.Name] = connected, failed[i]
			}
		}
		m.Clusters = append(m.Clusters, remote)
	}
	m.Clusters = append(m.Clusters, named...)
	return m, met, nil
}

// dropNamesakes takes the remotes of secrets under the primary's own name, which istiod ignores, out of the mesh;
// name-duplicate tells of the secrets.
func (s *session) dropNamesakes() {
	seen := s.snapshot.Clusters[plan.PrimaryKey]
	if seen == nil {
		return
	}
	for _, plane := range seen.ControlPlanes {
		s.mesh.Clusters = slices.DeleteFunc(slices.Clone(s.mesh.Clusters), func(c mesh.Cluster) bool {
			return c.Role == mesh.Remote && c.Name == plane.ClusterID
		})
		if plane.ClusterID != plan.PrimaryKey {
			delete(s.clusters, plane.ClusterID)
			delete(s.snapshot.Clusters, plane.ClusterID)
		}
	}
}

// namesake is the context after which a cluster is named as attach-remote would name it.
func namesake(name string, endpoints []cluster.Endpoint) string {
	for _, e := range endpoints {
		if mesh.ClusterName(e.Context) == name {
			return e.Context
		}
	}
	return ""
}

func known(clusters []mesh.Cluster, name string) bool {
	return slices.ContainsFunc(clusters, func(c mesh.Cluster) bool { return c.Name == name })
}
