package plan

import (
	"slices"
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

// One of three remotes leaves: every istiod forgets it first, and nothing is done to the others.
func TestDetach(t *testing.T) {
	t.Parallel()
	m := of("east primary n1", "west remote n1", "south remote n1", "north remote n1")
	m.Clusters[2].Detached = true
	s := fresh(m)
	for _, name := range []string{"west", "south", "north"} {
		s.Clusters["east"].RemoteSecrets = append(s.Clusters["east"].RemoteSecrets,
			snapshot.RemoteSecret{Secret: "istio-remote-secret-" + name, SecretUID: "uid-" + name, Cluster: name})
		s.Clusters[name].Namespace = &snapshot.Namespace{Network: "n1", ControlPlaneClusters: "east"}
	}
	detaching := Slice(Build(m, s, Options{Wait: true}), DetachRemote)
	golden.Equal(t, "detach-1-of-3-remotes.txt", render(detaching, true))
	for _, step := range detaching {
		if !step.Concerns("south") {
			t.Errorf("%s is not about the remote that leaves", step.ID)
		}
	}
	if attaching := Slice(Build(m, s, Options{Wait: true}), AttachRemote); slices.ContainsFunc(attaching, func(s Step) bool { return s.Concerns("south") }) {
		t.Errorf("the remote that leaves is attached:\n%s", render(attaching, false))
	}

	again := fresh(m)
	if steps := Slice(Build(m, again, Options{}), DetachRemote); len(steps) > 0 {
		t.Errorf("where nothing is found, there is left to do:\n%s", render(steps, false))
	}
}

// What other revisions or primaries have in a remote stays.
func TestDetachLeavesOthers(t *testing.T) {
	t.Parallel()
	m := of("east primary n1", "south remote n1")
	m.Clusters[1].Detached = true
	s := fresh(m)
	s.Clusters["south"].Namespace = &snapshot.Namespace{ControlPlaneClusters: "other,east"}
	s.Clusters["south"].Injectors = []snapshot.Injector{{Revision: "default"}, {Revision: "canary"}}
	steps := Build(m, s, Options{})
	if find[DeleteRemote](t, steps, "south/no-reader").Shared {
		t.Error("what another revision shares is deleted")
	}
	if got := find[ApplyNamespace](t, steps, "south/namespace").ControlPlaneClusters; got != "other" {
		t.Errorf("the annotation becomes %q", got)
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
