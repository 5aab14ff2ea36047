package plan

import (
	"maps"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// A remote is known by its UID, and keeps the name that it has.
func TestRecorded(t *testing.T) {
	t.Parallel()
	remote := func(name string) mesh.Cluster { return mesh.Cluster{Name: name, Context: name, Role: mesh.Remote} }
	chosen := func(name string) mesh.Cluster { c := remote(name); c.Named = true; return c }
	secrets := func(more ...snapshot.RemoteSecret) []snapshot.RemoteSecret {
		return append([]snapshot.RemoteSecret{{Cluster: "west", UID: "uid-west"}, {Cluster: "south", UID: "uid-south"}, {Cluster: "private"}}, more...)
	}
	injected := func(uid, name string) snapshot.Cluster {
		return snapshot.Cluster{UID: uid, Injectors: []snapshot.Injector{{Paths: []string{"/inject/cluster/" + name + "/net/network1"}}}}
	}
	for _, test := range []struct {
		name    string
		remotes []mesh.Cluster
		seen    map[string]snapshot.Cluster
		more    []snapshot.RemoteSecret
		want    map[string]string
	}{
		{name: "a renamed context", remotes: []mesh.Cluster{remote("prod")}, seen: map[string]snapshot.Cluster{"prod": {UID: "uid-west"}}, want: map[string]string{"prod": "west"}},
		{name: "its own name", remotes: []mesh.Cluster{remote("west")}, seen: map[string]snapshot.Cluster{"west": {UID: "uid-west"}}},
		{name: "a new cluster", remotes: []mesh.Cluster{remote("north")}, seen: map[string]snapshot.Cluster{"north": {UID: "uid-north"}}},
		{name: "a name that was chosen", remotes: []mesh.Cluster{chosen("prod")}, seen: map[string]snapshot.Cluster{"prod": {UID: "uid-west"}}},
		{name: "a UID that is not known", remotes: []mesh.Cluster{remote("prod")}, seen: map[string]snapshot.Cluster{"prod": {}}},
		{name: "not looked at", remotes: []mesh.Cluster{remote("prod")}},
		{
			name: "two that have changed names", remotes: []mesh.Cluster{remote("west"), remote("south")},
			seen: map[string]snapshot.Cluster{"west": {UID: "uid-south"}, "south": {UID: "uid-west"}}, want: map[string]string{"west": "south", "south": "west"},
		},
		{
			name: "another cluster has its name", remotes: []mesh.Cluster{remote("prod"), remote("west")},
			seen: map[string]snapshot.Cluster{"prod": {UID: "uid-west"}, "west": {UID: "uid-new"}},
		},
		{
			name: "one cluster by two contexts", remotes: []mesh.Cluster{remote("one"), remote("two")},
			seen: map[string]snapshot.Cluster{"one": {UID: "uid-west"}, "two": {UID: "uid-west"}},
		},
		{
			name: "two secrets: the name that its pods have", remotes: []mesh.Cluster{remote("prod")},
			seen: map[string]snapshot.Cluster{"prod": injected("uid-west", "occident")}, more: []snapshot.RemoteSecret{{Cluster: "occident", UID: "uid-west"}},
			want: map[string]string{"prod": "occident"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{PrimaryKey: {RemoteSecrets: secrets(test.more...)}}}
			for name, seen := range test.seen {
				s.Clusters[name] = &seen
			}
			m := mesh.Mesh{Clusters: append([]mesh.Cluster{{Context: "east", Role: mesh.Primary}}, test.remotes...)}
			if got := Recorded(m, s); !maps.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
