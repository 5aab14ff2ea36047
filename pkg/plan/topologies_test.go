package plan

import (
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// of is a mesh of clusters, each "NAME ROLE NETWORK" or, for a remote that a later primary serves, "NAME remote NETWORK PRIMARY".
func of(clusters ...string) mesh.Mesh {
	m := mesh.Mesh{ID: "mesh1", Namespace: "istio-system"}
	for _, text := range clusters {
		fields := strings.Fields(text)
		c := mesh.Cluster{Name: fields[0], Context: "ctx-" + fields[0], Role: mesh.Role(fields[1]), Network: fields[2]}
		if len(fields) > 3 {
			c.Primary = fields[3]
		}
		m.Clusters = append(m.Clusters, c)
	}
	return m
}

// Meshes that no command makes yet are values of the same type, and have plans.
func TestTopologies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		mesh mesh.Mesh
	}{
		{"two-primaries", of("east primary n1", "west primary n1")},
		{"two-primaries-on-two-networks", of("east primary n1", "west primary n2")},
		{"remotes-on-two-networks", of("east primary n1", "west remote n1", "south remote n2")},
		{"two-primaries-with-remotes", of("east primary n1", "south remote n1", "west primary n2", "north remote n3 west")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			steps := Build(test.mesh, fresh(test.mesh), Options{Wait: true})
			golden.Equal(t, test.name+".txt", render(steps, false))
			sound(t, steps)
			for _, reader := range test.mesh.Primaries() {
				for _, c := range test.mesh.ReadBy(reader) {
					if find[ApplyRemoteSecret](t, steps, reader.Name+"/remote-secret-"+c.Name).Server != "https://"+c.Name+".example:6443" {
						t.Errorf("%s is given another address of %s", reader.Name, c.Name)
					}
				}
				for _, c := range test.mesh.ServedBy(reader) {
					if got := find[ApplyNamespace](t, steps, c.Name+"/namespace").ControlPlaneClusters; got != reader.Name {
						t.Errorf("%s is served by %q, want %s", c.Name, got, reader.Name)
					}
				}
			}
		})
	}
}

// A cluster's new token is given in place to a release that takes it over; an older istiod has to forget the cluster first. So it
// is for each primary that reads the cluster, by its own release.
func TestChangedToken(t *testing.T) {
	t.Parallel()
	m := of("east primary n1", "west primary n1", "south remote n1")
	s := fresh(m)
	secret := snapshot.RemoteSecret{Secret: "istio-remote-secret-south", SecretUID: "uid", Cluster: "south", Server: s.Clusters["south"].Server, Token: "old", CA: "ca"}
	for name, version := range map[string]string{"east": "1.29.1", "west": "1.31.0"} {
		c := s.Clusters[name]
		c.ControlPlanes = []snapshot.ControlPlane{{Revision: "default", ClusterID: name, Version: version}}
		c.RemoteSecrets, c.RootCert = []snapshot.RemoteSecret{secret}, "root"
	}
	south := s.Clusters["south"]
	south.Namespace, south.RootCert = &snapshot.Namespace{ControlPlaneClusters: "east"}, "root"
	south.ReaderToken = &snapshot.ReaderToken{Filled: true, Token: "new", CA: "ca"}
	steps := Build(m, s, Options{Wait: true})
	golden.Equal(t, "changed-token.txt", render(about(steps, "south"), false))
	for primary, forgets := range map[string]bool{"east": true, "west": false} {
		if before(steps, primary+"/drop-secret-south", primary+"/remote-secret-south") != forgets {
			t.Errorf("%s: that istiod forgets the cluster is %v", primary, !forgets)
		}
	}
}

// about are the steps on primaries that are about a remote.
func about(steps []Step, remote string) []Step {
	var kept []Step
	for _, s := range steps {
		if s.Cluster != remote && s.Concerns(remote) {
			kept = append(kept, s)
		}
	}
	return kept
}
