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
				fmt.Fprintf(&text, "%-8s %-20s %s: %s\n", r.Status, r.ID, where(r), r.Seen)
			}
			golden.Equal(t, "topology-"+topology.name+".txt", text.String())
		})
	}
}

// where names the subject of a result.
func where(r Result) string {
	text := r.Cluster
	if r.ControlPlane != "" && r.ControlPlane != r.Cluster {
		text = r.ControlPlane + " → " + r.Cluster
	}
	if r.Network != "" {
		text += " (" + r.Network + ")"
	}
	return text
}

// One fault of a mesh of several control planes is told of the control plane that it concerns.
func TestFaultsOfTopologies(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for _, test := range []struct {
		name   string
		mesh   func() *world
		change func(w *world)
		// want are the results that are neither passed nor skipped: STATUS ID, and the subject.
		want []string
	}{
		{
			"one primary has no credentials for the other", twoPrimaries,
			func(w *world) {
				w.west().RemoteSecrets = nil
				w.forget("west", "east")
			},
			[]string{"fail secret-missing west → east"},
		},
		{
			"one istiod has not read the other's cluster", twoPrimaries,
			func(w *world) {
				w.setSync("west", snapshot.TimedOut, snapshot.TimedOut)
			},
			[]string{"fail not-synced east → west"},
		},
		{
			"primaries with roots of their own", twoPrimaries,
			func(w *world) {
				west := w.west()
				west.RootCert, west.RootCerts = "other", map[string]string{"istio-system": "other", "shop": "other"}
				for i := range west.Injectors {
					west.Injectors[i].CABundles = []string{"other"}
				}
			},
			[]string{"fail roots-differ east → west", "fail roots-differ west → east"},
		},
		{
			"one primary has no istiod", twoPrimaries,
			func(w *world) { w.west().ControlPlanes, w.west().Injectors = nil, nil },
			[]string{"fail no-istiod west"},
		},
		{
			"one cluster does not answer", twoPrimaries,
			func(w *world) {
				*w.west() = snapshot.Cluster{Name: "west", Context: "ctx-west", Server: "https://west.example:6443",
					Unreadable: couldNotRead(snapshot.APIServer, "no answer within 10s")}
				w.snapshot.Traffic = nil
			},
			[]string{"unknown reachable west"},
		},
		{
			"clusters whose pods have the same addresses", twoPrimaries,
			func(w *world) { w.west().PodRanges = w.east().PodRanges },
			[]string{"fail network-overlap west (network1)"},
		},
		{
			"the other network's gateway has no address", twoNetworks,
			func(w *world) { w.west().Gateways[0].Address = "" },
			[]string{"fail network-unconnected east → west", "fail network-unconnected west → east", "fail address-pending west"},
		},
		{
			"the other network's gateway publishes nothing", twoNetworks,
			func(w *world) { w.west().Passthrough = nil },
			[]string{"fail network-unconnected east → west", "fail network-unconnected west → east"},
		},
		{
			"a remote of the other primary is not read", primariesWithRemotes,
			func(w *world) {
				w.east().RemoteSecrets = slices.DeleteFunc(w.east().RemoteSecrets, func(s snapshot.RemoteSecret) bool { return s.Cluster == "north" })
				w.forget("east", "north")
			},
			[]string{"fail secret-missing east → north"},
		},
		{
			"a remote finds the wrong istiod", primariesWithRemotes,
			func(w *world) {
				w.snapshot.Clusters["north"].IstiodServices = []snapshot.IstiodService{{Name: "istiod", Addresses: []string{"192.0.2.10"}}}
			},
			[]string{"fail slice-missing west → north"},
		},
		{
			"one primary's gateway is closed", primariesWithRemotes,
			func(w *world) { w.west().Ports[0] = snapshot.Port{Number: 15012, Error: "connection refused"} },
			[]string{"fail firewall west"},
		},
		{
			"a remote's network has no gateway", remotesOnTwoNetworks,
			func(w *world) { w.west().Gateways = nil },
			[]string{"fail network-unconnected west"},
		},
	} {
		w := test.mesh()
		test.change(w)
		results := Verify(w.mesh, w.snapshot, w.charts, w.caller)
		var got []string
		fmt.Fprintf(&text, "# %s\n", test.name)
		for _, r := range results {
			if r.Status == Pass || r.Status == Skip {
				continue
			}
			got = append(got, fmt.Sprintf("%s %s %s", r.Status, r.ID, where(r)))
			fmt.Fprintf(&text, "%s %s %s: %s\n%s", r.Status, r.ID, where(r), r.Seen, fixText(r.Fix))
		}
		slices.Sort(got)
		slices.Sort(test.want)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
		text.WriteString("\n")
	}
	golden.Equal(t, "topology-faults.txt", text.String())
}
