package plan

import (
	"reflect"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// given is what the command line alone says of a mesh: contexts, and names of remotes.
func given(revision string) mesh.Mesh {
	return mesh.Mesh{Namespace: "istio-system", Revision: revision, Clusters: []mesh.Cluster{
		{Context: "ctx-east", Role: mesh.Primary}, {Name: "west", Context: "ctx-west", Role: mesh.Remote},
	}}
}

func seen(primary, west snapshot.Cluster) *snapshot.Snapshot {
	primary.Context = "ctx-east"
	return &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{PrimaryKey: &primary, "west": &west}}
}

func TestComplete(t *testing.T) {
	t.Parallel()
	plane := snapshot.ControlPlane{Revision: "default", ClusterID: "east", MeshID: "shop", Network: "eu"}
	withoutNetwork := plane
	withoutNetwork.Network = ""
	labelled := &snapshot.Namespace{Network: "us"}
	complete := func(revision, id, primaryNetwork, remoteNetwork string) mesh.Mesh {
		m := given(revision)
		m.ID = id
		m.Clusters[0].Name, m.Clusters[0].Network, m.Clusters[1].Network = "east", primaryNetwork, remoteNetwork
		return m
	}
	for _, test := range []struct {
		name string
		mesh mesh.Mesh
		seen *snapshot.Snapshot
		want mesh.Mesh
	}{
		{"all from the primary", given(""), seen(snapshot.Cluster{ControlPlanes: []snapshot.ControlPlane{plane}}, snapshot.Cluster{}),
			complete("", "shop", "eu", "eu")},
		{"the network from its namespace", given(""),
			seen(snapshot.Cluster{ControlPlanes: []snapshot.ControlPlane{withoutNetwork}, Namespace: labelled}, snapshot.Cluster{}),
			complete("", "shop", "us", "us")},
		{"a remote that has a network keeps it", given(""),
			seen(snapshot.Cluster{ControlPlanes: []snapshot.ControlPlane{plane}}, snapshot.Cluster{Namespace: labelled}),
			complete("", "shop", "eu", "us")},
		{"the user's word first", complete("", "mine", "mine", "mine"),
			seen(snapshot.Cluster{ControlPlanes: []snapshot.ControlPlane{plane}}, snapshot.Cluster{Namespace: labelled}),
			complete("", "mine", "mine", "mine")},
		{"no control plane", given(""), seen(snapshot.Cluster{Namespace: labelled}, snapshot.Cluster{}), given("")},
		{"no control plane of the revision", given("canary"), seen(snapshot.Cluster{ControlPlanes: []snapshot.ControlPlane{plane}}, snapshot.Cluster{}), given("canary")},
		{"the primary was not looked at", given(""), &snapshot.Snapshot{}, given("")},
		{"no primary", mesh.Mesh{Clusters: given("").Clusters[1:]}, seen(snapshot.Cluster{}, snapshot.Cluster{}), mesh.Mesh{Clusters: given("").Clusters[1:]}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			before := test.mesh.Clusters[0]
			got, err := Complete(test.mesh, test.seen)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got\n%+v, want\n%+v", got, test.want)
			}
			if before != test.mesh.Clusters[0] {
				t.Errorf("the mesh that was given has changed: %+v", test.mesh.Clusters[0])
			}
		})
	}
}

func TestChooseRevision(t *testing.T) {
	t.Parallel()
	planes := func(revisions ...string) (c snapshot.Cluster) {
		for _, r := range revisions {
			c.ControlPlanes = append(c.ControlPlanes, snapshot.ControlPlane{Revision: r, ClusterID: "of-" + r})
		}
		return c
	}
	tagged := func(c snapshot.Cluster, revision string) snapshot.Cluster {
		c.Injectors = []snapshot.Injector{{Tag: "prod", Revision: "b"}, {Tag: "default", Revision: revision}}
		return c
	}
	for _, test := range []struct {
		name, given   string
		seen          snapshot.Cluster
		want, primary string
		wantErr       string
	}{
		{name: "none there", seen: planes()},
		{name: "the only one", seen: planes("a"), want: "a", primary: "of-a"},
		{name: "the only one has no name", seen: planes("default"), primary: "of-default"},
		{name: "the default among several", seen: planes("a", "default"), primary: "of-default"},
		{name: "the tagged among several", seen: tagged(planes("a", "b"), "a"), want: "a", primary: "of-a"},
		{name: "the user's", given: "b", seen: tagged(planes("a", "b"), "a"), want: "b", primary: "of-b"},
		{name: "the user's, not there yet", given: "c", seen: planes("a", "b"), want: "c"},
		{name: "the user says default", given: "default", seen: planes("default", "a"), primary: "of-default"},
		{name: "the user says default, none there", given: "default", seen: planes()},
		{name: "the user must choose", seen: planes("a", "b"),
			wantErr: `the primary "ctx-east" has several control planes and none is the default: choose with --revision one of a, b`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := Complete(given(test.given), seen(test.seen, snapshot.Cluster{}))
			if test.wantErr != "" {
				if err == nil || err.Error() != test.wantErr {
					t.Errorf("got %v, want %s", err, test.wantErr)
				}
				return
			}
			if err != nil || got.Revision != test.want || got.Clusters[0].Name != test.primary {
				t.Errorf("got revision %q, primary %q, %v; want %q, %q", got.Revision, got.Clusters[0].Name, err, test.want, test.primary)
			}
		})
	}
}

func TestRename(t *testing.T) {
	t.Parallel()
	s := seen(snapshot.Cluster{}, snapshot.Cluster{})
	if Rename(s, PrimaryKey).Clusters[PrimaryKey] == nil {
		t.Fatal("a primary that stays without a name is lost")
	}
	renamed := Rename(s, "east")
	if c := renamed.Clusters["east"]; c == nil || c.Name != "east" || c.Context != "ctx-east" || len(renamed.Clusters) != 2 {
		t.Errorf("got %+v", renamed.Clusters)
	}
	if c := s.Clusters[PrimaryKey]; c == nil || c.Name == "east" {
		t.Errorf("the other snapshot has changed: %+v", s.Clusters)
	}
}
