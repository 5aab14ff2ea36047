package app

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// stateOf is a primary of this name and remotes with the UIDs that its secrets have, before any of them is named.
func stateOf(name string, secrets []snapshot.RemoteSecret, remotes ...string) *state {
	st := &state{
		mesh:     mesh.Mesh{Clusters: []mesh.Cluster{{Context: "context", Role: mesh.Primary}}},
		clusters: cluster.Set{unnamedPrimary: {Context: "context"}},
		snapshot: &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{unnamedPrimary: {
			Context:       "context",
			ControlPlanes: []snapshot.ControlPlane{{Revision: mesh.DefaultRevision, ClusterID: name, MeshID: "shop"}}, RemoteSecrets: secrets,
		}}},
	}
	for _, remote := range remotes {
		st.mesh.Clusters = append(st.mesh.Clusters, mesh.Cluster{Name: remote, Context: remote, Role: mesh.Remote})
		st.clusters[remote] = &cluster.Cluster{Name: remote, Context: remote}
		st.snapshot.Clusters[remote] = &snapshot.Cluster{Name: remote, Context: remote, UID: "uid-" + remote}
	}
	return st
}

// Once the primary is read, every cluster goes by its name in the mesh, whatever its context is called.
func TestComplete(t *testing.T) {
	t.Parallel()
	secret := func(name, uid string) snapshot.RemoteSecret {
		return snapshot.RemoteSecret{Cluster: name, UID: "uid-" + uid}
	}
	for _, test := range []struct {
		name     string
		state    *state
		recorded map[string]string
		// want are the clusters' contexts by their names.
		want map[string]string
	}{
		{"as their contexts", stateOf("east", nil, "west"), nil, map[string]string{"east": "context", "west": "west"}},
		{"under another name", stateOf("east", []snapshot.RemoteSecret{secret("old", "west")}, "west"),
			map[string]string{"west": "old"}, map[string]string{"east": "context", "old": "west"}},
		{"under one another's names", stateOf("east", []snapshot.RemoteSecret{secret("west", "south"), secret("south", "west")}, "west", "south"),
			map[string]string{"west": "south", "south": "west"}, map[string]string{"east": "context", "south": "west", "west": "south"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			recorded, err := test.state.complete()
			if err != nil || !maps.Equal(recorded, test.recorded) {
				t.Fatalf("recorded under %v (%v), want %v", recorded, err, test.recorded)
			}
			inMesh, connected, seen := map[string]string{}, map[string]string{}, map[string]string{}
			for _, c := range test.state.mesh.Clusters {
				inMesh[c.Name] = c.Context
			}
			for key, c := range test.state.clusters {
				if connected[key] = c.Context; c.Name != key {
					t.Errorf("%q is connected as %q", key, c.Name)
				}
			}
			for key, c := range test.state.snapshot.Clusters {
				if seen[key] = c.Context; c.Name != key {
					t.Errorf("%q is in the snapshot as %q", key, c.Name)
				}
			}
			if !maps.Equal(inMesh, test.want) || !maps.Equal(connected, test.want) || !maps.Equal(seen, test.want) {
				t.Errorf("the mesh has %v, connected are %v, seen are %v; want %v", inMesh, connected, seen, test.want)
			}
			if test.state.mesh.ID != "shop" || test.state.primary() == nil || test.state.primary().Name != "east" {
				t.Errorf("mesh %q, primary %+v", test.state.mesh.ID, test.state.primary())
			}
		})
	}
}

func TestCompleteRefusesThePrimarysName(t *testing.T) {
	t.Parallel()
	_, err := stateOf("east", nil, "east").complete()
	if _, is := errors.AsType[*UsageError](err); !is || !strings.Contains(err.Error(), `the name "east" is the primary's own`) {
		t.Errorf("got %v", err)
	}
}

func TestAddServers(t *testing.T) {
	t.Parallel()
	const address = "https://10.0.0.1:6443"
	for _, test := range []struct {
		name             string
		remotes, servers []string
		// want are the remotes' addresses, or else wrong is what is wrong.
		want  []string
		wrong string
	}{
		{"none", []string{"west"}, nil, []string{""}, ""},
		{"of the only remote", []string{"west"}, []string{address}, []string{address}, ""},
		{"of one of two", []string{"west", "south"}, []string{"south=" + address}, []string{"", address}, ""},
		{"of nobody in particular", []string{"west", "south"}, []string{address}, nil, "--remote-server is for one cluster, and 2 are given: use NAME=URL"},
		{"of another one", []string{"west"}, []string{"north=" + address}, nil, `--remote-server names cluster "north", which is not among those given`},
		{"of the primary", []string{"west"}, []string{"east=" + address}, nil, `names cluster "east"`},
		{"no URL", []string{"west"}, []string{"10.0.0.1"}, nil, `--remote-server "10.0.0.1" is not an address such as`},
		{"not over TLS", []string{"west"}, []string{"http://10.0.0.1"}, nil, "is not an address"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clusters := []mesh.Cluster{{Name: "east", Role: mesh.Primary}}
			for _, name := range test.remotes {
				clusters = append(clusters, mesh.Cluster{Name: name, Role: mesh.Remote})
			}
			err := addServers(clusters, test.servers)
			if test.wrong != "" {
				if _, is := errors.AsType[*UsageError](err); !is || !strings.Contains(err.Error(), test.wrong) {
					t.Errorf("got %v, want %s", err, test.wrong)
				}
				return
			}
			var got []string
			for _, c := range clusters[1:] {
				got = append(got, c.Server)
			}
			if err != nil || !slices.Equal(got, test.want) || clusters[0].Server != "" {
				t.Errorf("got %q and %v, want %q; the primary has %q", got, err, test.want, clusters[0].Server)
			}
		})
	}
}
