package app

import (
	"slices"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Remotes that the user names go by the names of the remote secrets that lead to them, unless the user chose a name.
func TestNameRemotes(t *testing.T) {
	t.Parallel()
	const east, west, south = "https://east.example", "https://west.example", "https://south.example"
	candidates := unidentified([]cluster.Endpoint{{Context: "east", Server: east}, {Context: "w", Server: west}, {Context: "s", Server: south}})
	secret := func(name, server string) snapshot.RemoteSecret {
		return snapshot.RemoteSecret{Cluster: name, Server: server}
	}
	both := []snapshot.RemoteSecret{secret("west", west), secret("south", south)}
	remote := func(name, context string, named bool) mesh.Cluster {
		return mesh.Cluster{Name: name, Context: context, Named: named, Role: mesh.Remote}
	}
	for _, test := range []struct {
		name    string
		secrets []snapshot.RemoteSecret
		named   []mesh.Cluster
		// want are NAME=CONTEXT.
		want []string
	}{
		{"by their addresses", both, []mesh.Cluster{remote("s", "s", false), remote("w", "w", false)}, []string{"west=w", "south=s"}},
		{"one of two", both, []mesh.Cluster{remote("s", "s", false)}, []string{"south=s"}},
		{"by its own name", []snapshot.RemoteSecret{secret("w", "https://elsewhere")}, []mesh.Cluster{remote("w", "w", false)}, []string{"w=w"}},
		{"under a chosen name", both, []mesh.Cluster{remote("other", "w", true)}, []string{"other=w"}},
		{"under the chosen name of a secret", both, []mesh.Cluster{remote("south", "w", true)}, []string{"south=w"}},
		{"not known", both, []mesh.Cluster{remote("n", "n", false)}, []string{"n=n"}},
		{"two secrets of one name", []snapshot.RemoteSecret{secret("west", west), secret("west", south)},
			[]mesh.Cluster{remote("w", "w", false), remote("s", "s", false)}, []string{"west=w", "s=s"}},
		{"a secret without a name", []snapshot.RemoteSecret{secret("", west)}, []mesh.Cluster{remote("w", "w", false)}, []string{"w=w"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := mesh.Mesh{Clusters: append([]mesh.Cluster{{Context: "east", Role: mesh.Primary}}, test.named...)}
			before := slices.Clone(m.Clusters)
			var got []string
			for _, c := range nameRemotes(m, contacted{primary: &cluster.Cluster{Server: east}, secrets: test.secrets}, candidates).Remotes() {
				got = append(got, c.Name+"="+c.Context)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if !slices.Equal(m.Clusters, before) {
				t.Errorf("the mesh that was given has changed to %+v", m.Clusters)
			}
		})
	}
}

// istiod ignores a remote secret under the primary's own name, and so does a judgement of all remotes.
func TestDropPrimarysName(t *testing.T) {
	t.Parallel()
	st := stateOf("east", nil, "east", "west")
	st.dropPrimarysName()
	if remotes := st.mesh.Remotes(); len(remotes) != 1 || remotes[0].Name != "west" {
		t.Errorf("the mesh has %+v", remotes)
	}
	if st.primary() == nil || st.snapshot.Clusters["east"] != nil || st.clusters["east"] != nil || st.clusters["west"] == nil {
		t.Errorf("left are %v and %v", st.snapshot.Clusters, st.clusters)
	}
}
