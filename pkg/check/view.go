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
}

// ask judges a cluster by what was seen of it.
type ask func(c mesh.Cluster, seen *snapshot.Cluster) []Result

// viewsOf are the mesh as each of its control planes sees it, the first primary's first; of a mesh without any there is one view.
func viewsOf(m mesh.Mesh, base view) []view {
	base.mesh = m
	var views []view
	for _, primary := range m.Primaries() {
		v := base
		v.home, v.hasHome, v.mesh = primary, true, m.SeenFrom(primary)
		views = append(views, v)
	}
	if views == nil {
		return []view{base}
	}
	return views
}

// eachCluster asks about every cluster of the mesh.
func (v view) eachCluster(ask ask) []Result { return v.over(v.mesh.Clusters, ask) }

// ownCluster asks about the cluster of the control plane.
func (v view) ownCluster(ask ask) []Result {
	if !v.hasHome {
		return nil
	}
	return v.over([]mesh.Cluster{v.home}, ask)
}

// eachRead asks about every cluster that the control plane reads beside its own.
func (v view) eachRead(ask ask) []Result { return v.over(v.mesh.ReadBy(v.home), ask) }

// eachRemote asks about every remote that the control plane serves.
func (v view) eachRemote(ask ask) []Result { return v.over(v.remotes(), ask) }

// eachServed asks about every cluster that the control plane serves: its own and its remotes.
func (v view) eachServed(ask ask) []Result { return append(v.ownCluster(ask), v.eachRemote(ask)...) }

// remotes are those that the control plane serves.
func (v view) remotes() []mesh.Cluster {
	if !v.hasHome {
		return v.mesh.Remotes()
	}
	return v.mesh.ServedBy(v.home)
}

func (v view) over(clusters []mesh.Cluster, ask ask) []Result {
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
