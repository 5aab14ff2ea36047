package check

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// view is what a judgement sees: a mesh as one control plane has to do with it. A mesh of several control planes is judged once as
// each of them sees it.
type view struct {
	// home is the cluster with the control plane; a mesh without any has none.
	home    mesh.Cluster
	hasHome bool
	// mesh has the home first, and then the clusters that its control plane reads.
	mesh     mesh.Mesh
	snapshot *snapshot.Snapshot
	charts   Charts
	asker    asker
	caller   command.Caller
	// callersPrimary is the primary that the user's call names.
	callersPrimary string
}

// judgeCluster judges a cluster by what was seen of it.
type judgeCluster func(c mesh.Cluster, seen *snapshot.Cluster) []Result

// viewsOf are the mesh as each of its control planes sees it, the first primary's first; of a mesh without any there is one view.
func viewsOf(m mesh.Mesh, base view) []view {
	base.mesh = m
	var views []view
	for i, primary := range m.Primaries() {
		v := base
		v.callersPrimary = m.Primaries()[0].Name
		if i > 0 {
			v.caller = v.caller.ForOtherPrimary()
		}
		v.home, v.hasHome, v.mesh = primary, true, m.SeenFrom(primary)
		views = append(views, v)
	}
	if views == nil {
		return []view{base}
	}
	return views
}

// eachCluster asks about every cluster of the mesh.
func (v view) eachCluster(ask judgeCluster) []Result { return v.over(v.mesh.Clusters, ask) }

// ownCluster asks about the cluster of the control plane.
func (v view) ownCluster(ask judgeCluster) []Result {
	if !v.hasHome {
		return nil
	}
	return v.over([]mesh.Cluster{v.home}, ask)
}

// eachRead asks about every cluster that the control plane reads beside its own.
func (v view) eachRead(ask judgeCluster) []Result { return v.over(v.mesh.ReadBy(v.home), ask) }

// eachRemote asks about every remote that the control plane serves.
func (v view) eachRemote(ask judgeCluster) []Result { return v.over(v.remotes(), ask) }

// eachServed asks about every cluster that the control plane serves: its own and its remotes.
func (v view) eachServed(ask judgeCluster) []Result {
	return append(v.ownCluster(ask), v.eachRemote(ask)...)
}

// remotes are those that the control plane serves.
func (v view) remotes() []mesh.Cluster {
	if !v.hasHome {
		return v.mesh.Remotes()
	}
	return v.mesh.ServedBy(v.home)
}

// ownGateway asks about the cluster of the control plane because of its east-west gateway. Among several control planes one that
// serves its own cluster alone needs none, unless other clusters are on other networks.
func (v view) ownGateway(ask judgeCluster) []Result {
	if v.amongSeveral() && len(v.remotes()) == 0 && len(v.mesh.Networks()) == 1 {
		ask = func(mesh.Cluster, *snapshot.Cluster) []Result {
			return skip("no cluster needs the gateway: all are on one network, and this control plane serves no other")
		}
	}
	return v.ownCluster(ask)
}

// ownExposure asks about the cluster of the control plane because istiod is published to its remotes.
func (v view) ownExposure(ask judgeCluster) []Result {
	if v.amongSeveral() && len(v.remotes()) == 0 {
		ask = func(mesh.Cluster, *snapshot.Cluster) []Result {
			return skip("this control plane serves no other cluster")
		}
	}
	return v.ownCluster(ask)
}

// amongSeveral is true in a mesh of several control planes. The only one is to be ready for remotes that are yet to come.
func (v view) amongSeveral() bool { return len(v.mesh.Primaries()) > 1 }

func (v view) over(clusters []mesh.Cluster, ask judgeCluster) []Result {
	var results []Result
	for _, c := range clusters {
		seen := v.snapshot.Clusters[c.Name]
		if seen == nil {
			seen = &snapshot.Cluster{Name: c.Name, Context: c.Context,
				Unreadable: []snapshot.Unreadable{{What: snapshot.APIServer, Reason: "no context leads to this cluster"}}}
		}
		for _, r := range ask(c, seen) {
			if r.Cluster == "" {
				r.Cluster = label(c)
			}
			results = append(results, r)
		}
	}
	return results
}

// label is the cluster's name, or its context while it has none.
func label(c mesh.Cluster) string {
	if c.Name != "" {
		return c.Name
	}
	return c.Context
}

// seenHome is what was seen of the control plane's cluster; nil where it was not looked at.
func (v view) seenHome() *snapshot.Cluster {
	if !v.hasHome {
		return nil
	}
	return v.snapshot.Clusters[v.home.Name]
}

// controlPlane is the one of the mesh's revision.
func (v view) controlPlane() (snapshot.ControlPlane, bool) {
	seen := v.seenHome()
	if seen == nil {
		return snapshot.ControlPlane{}, false
	}
	return seen.ControlPlane(v.mesh.RevisionLabel())
}
