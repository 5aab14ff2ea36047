package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func primaryOn(network, name string) mesh.Cluster {
	return mesh.Cluster{Name: name, Role: mesh.Primary, Network: network}
}

func remoteOn(network, name, primary string) mesh.Cluster {
	return mesh.Cluster{Name: name, Role: mesh.Remote, Network: network, Primary: primary}
}

// twoPrimaries are two control planes that read each other, on one network.
func twoPrimaries() *world {
	return healthyMesh(primaryOn("network1", "east"), primaryOn("network1", "west"))
}

// twoNetworks are two control planes on networks of their own, with gateways.
func twoNetworks() *world {
	return healthyMesh(primaryOn("network1", "east"), primaryOn("network2", "west"))
}

// primariesWithRemotes are two control planes on networks of their own that each serve a remote, and read the other's.
func primariesWithRemotes() *world {
	return healthyMesh(primaryOn("network1", "east"), remoteOn("network1", "south", "east"), primaryOn("network2", "west"), remoteOn("network2", "north", "west"))
}

// remotesOnTwoNetworks is a control plane with a remote on its own network and one on another.
func remotesOnTwoNetworks() *world {
	return healthyMesh(primaryOn("network1", "east"), remoteOn("network1", "south", ""), remoteOn("network2", "west", ""))
}

// topology is a mesh that no command makes yet.
type topology struct {
	name string
	mesh func() *world
}

func topologies() []topology {
	return []topology{
		{"two-primaries", twoPrimaries}, {"two-networks", twoNetworks},
		{"primaries-with-remotes", primariesWithRemotes}, {"remotes-on-two-networks", remotesOnTwoNetworks},
	}
}

// A healthy mesh passes, whatever its shape. What concerns a control plane or one of its links is judged once for each control
// plane, what concerns clusters alone once.
func TestHealthyTopologies(t *testing.T) {
	t.Parallel()
	for _, topology := range topologies() {
		t.Run(topology.name, func(t *testing.T) {
			t.Parallel()
			w := topology.mesh()
			results := Verify(w.mesh, w.snapshot, w.charts, w.caller)
			var text strings.Builder
			for _, r := range results {
				if r.Status != Pass && r.Status != Skip || r.Needs != "" {
					t.Errorf("%s of %s, control plane %q: %s %s", r.ID, r.Cluster, r.ControlPlane, r.Status, r.Seen)
				}
				if several := len(w.mesh.Primaries()) > 1; (r.ControlPlane != "") != (several && r.Subject.perControlPlane()) {
					t.Errorf("%s of %s, which is about a %s, is of the control plane %q", r.ID, r.Cluster, r.Subject, r.ControlPlane)
				}
				fmt.Fprintf(&text, "%-8s %-20s %s: %s\n", r.Status, r.ID, strings.TrimSpace(where(r)+" "+r.Network), r.Seen)
			}
			golden.Equal(t, "topology-"+topology.name+".txt", text.String())
		})
	}
}

// topologyScenarios are faults of meshes of several control planes or networks.
func topologyScenarios() []scenario {
	return []scenario{
		{
			name: "one primary has no credentials for the other", mesh: twoPrimaries,
			change: func(w *world) {
				w.west().RemoteSecrets = nil
				w.forget("west", "east")
			},
			want: []string{"fail secret-missing west → east"},
		},
		{
			name: "one istiod has not read the other's cluster", mesh: twoPrimaries,
			change: func(w *world) {
				w.setSync("west", snapshot.TimedOut, snapshot.TimedOut)
			},
			want: []string{"fail not-synced east → west"},
		},
		{
			name: "primaries with roots of their own", mesh: twoPrimaries,
			change: func(w *world) {
				west := w.west()
				west.RootCert, west.RootCerts = "other", map[string]string{"istio-system": "other", "shop": "other"}
				for i := range west.Injectors {
					west.Injectors[i].CABundles = []string{"other"}
				}
			},
			want: []string{"fail roots-differ east → west", "fail roots-differ west → east"},
		},
		{
			name: "one primary has no istiod", mesh: twoPrimaries,
			change: func(w *world) { w.west().ControlPlanes, w.west().Injectors = nil, nil },
			want:   []string{"fail no-istiod west"},
		},
		{
			name: "one cluster does not answer", mesh: twoPrimaries,
			change: func(w *world) {
				*w.west() = snapshot.Cluster{Name: "west", Context: "ctx-west", Server: "https://west.example:6443",
					Unreadable: couldNotRead(snapshot.APIServer, "no answer within 10s")}
				w.snapshot.Traffic = nil
			},
			want: []string{"unknown reachable west"},
		},
		{
			name: "clusters whose pods have the same addresses", mesh: twoPrimaries,
			change: func(w *world) { w.west().PodRanges = w.east().PodRanges },
			want:   []string{"fail network-overlap west"},
		},
		{
			name: "the other network's gateway has no address", mesh: twoNetworks,
			change: func(w *world) { w.west().Gateways[0].Address = "" },
			want:   []string{"fail address-pending west", "fail network-unconnected east → west", "fail network-unconnected west → east"},
		},
		{
			name: "the other network's gateway publishes nothing", mesh: twoNetworks,
			change: func(w *world) { w.west().Passthrough = nil },
			want:   []string{"fail network-unconnected east → west", "fail network-unconnected west → east"},
		},
		{
			name: "a remote of the other primary is not read", mesh: primariesWithRemotes,
			change: func(w *world) {
				w.east().RemoteSecrets = slices.DeleteFunc(w.east().RemoteSecrets, func(s snapshot.RemoteSecret) bool { return s.Cluster == "north" })
				w.forget("east", "north")
			},
			want: []string{"fail secret-missing east → north"},
		},
		{
			name: "a remote finds the wrong istiod", mesh: primariesWithRemotes,
			change: func(w *world) {
				w.snapshot.Clusters["north"].IstiodServices = []snapshot.IstiodService{{Name: "istiod", Addresses: []string{"192.0.2.10"}}}
			},
			want: []string{"fail slice-missing west → north"},
		},
		{
			name: "one primary's gateway is closed", mesh: primariesWithRemotes,
			change: func(w *world) { w.west().Ports[0] = snapshot.Port{Number: 15012, Error: "connection refused"} },
			want:   []string{"fail firewall west"},
		},
		{
			name: "a remote's network has no gateway", mesh: remotesOnTwoNetworks,
			change: func(w *world) { w.west().Gateways = nil },
			want:   []string{"fail network-unconnected west"},
		},
	}
}

// One fault of a mesh of several control planes is reported of the control plane that it concerns.
func TestFaultsOfTopologies(t *testing.T) {
	t.Parallel()
	play(t, "topology-faults.txt", topologyScenarios())
}
