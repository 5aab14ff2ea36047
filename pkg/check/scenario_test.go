package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// charts are those that the healthy mesh was made with.
func charts() Charts { return Charts{Release: "1.29.1", OldestKubernetes: 30} }

// world is a mesh and what was seen of it.
type world struct {
	mesh     mesh.Mesh
	snapshot *snapshot.Snapshot
	charts   Charts
	caller   command.Caller
}

func (w *world) east() *snapshot.Cluster              { return w.snapshot.Clusters["east"] }
func (w *world) west() *snapshot.Cluster              { return w.snapshot.Clusters["west"] }
func (w *world) controlPlane() *snapshot.ControlPlane { return &w.east().ControlPlanes[0] }
func (w *world) gateway() *snapshot.Gateway           { return &w.east().Gateways[0] }
func (w *world) secret() *snapshot.RemoteSecret       { return &w.east().RemoteSecrets[1] }

// selectNamespaces has istiod look only at the namespaces with a label.
func (w *world) selectNamespaces(key, value string) {
	w.controlPlane().ConfigMap = "istio"
	w.controlPlane().DiscoverySelectors = snapshot.DiscoverySelectors{{MatchLabels: map[string]string{key: value}}}
}

// healthy is a mesh of the primary east and the remotes south and west, with nothing wrong about it.
func healthy() *world {
	w := &world{
		mesh:     mesh.Mesh{ID: "mesh1", Namespace: "istio-system"},
		snapshot: &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{}},
		charts:   charts(),
	}
	names := []string{"east", "south", "west"}
	for _, name := range names {
		c := mesh.Cluster{Name: name, Context: "ctx-" + name, Role: mesh.Remote, Network: "network1"}
		seen := &snapshot.Cluster{
			Name: name, Context: c.Context, Server: "https://" + name + ".example:6443", UID: "uid-" + name, CA: "ca-" + name,
			KubernetesVersion: "v1.35.4", RootCert: "root", Nodes: 2, ReadyNodes: 2,
			Namespace: &snapshot.Namespace{Network: "network1", ControlPlaneClusters: "east"},
			Injectors: []snapshot.Injector{
				{Name: "istio-sidecar-injector", Revision: "default", Paths: []string{"/inject/cluster/" + name + "/net/network1"}, Hosts: []string{""}, CABundles: []string{"root"}},
				{Name: "istio-revision-tag-default", Revision: "default", Tag: "default", Paths: []string{"/inject/cluster/" + name + "/net/network1"}, Hosts: []string{""}, CABundles: []string{"root"}},
			},
			IstiodServices: []snapshot.IstiodService{{Name: "istiod", Addresses: []string{"192.0.2.10"}}},
			RootCerts:      map[string]string{"istio-system": "root", "shop": "root"},
			Injected:       []string{"shop"},
			ReaderToken:    &snapshot.ReaderToken{Filled: true, Token: "token-" + name},
			Installed:      map[string]snapshot.Installed{"default": {MeshID: "mesh1", IstiodAddress: "192.0.2.10"}},
			PodRanges:      []string{fmt.Sprintf("10.%d.0.0/16", len(w.mesh.Clusters)+1)},
			Evidence:       snapshot.Evidence{Injection: &snapshot.Injection{}, Clock: &snapshot.Clock{}},
		}
		if name == "east" {
			c.Role = mesh.Primary
			seen.Namespace.ControlPlaneClusters = ""
			seen.IstiodServices = []snapshot.IstiodService{{Name: "istiod", Selector: true, Addresses: []string{"10.1.0.5"}}}
			for i := range seen.Injectors {
				seen.Injectors[i].Paths = []string{"/inject"}
			}
			seen.ControlPlanes = []snapshot.ControlPlane{{
				Name: "istiod", Revision: "default", Version: "1.29.1", Hub: "docker.io/istio", ClusterID: "east", ExternalIstiod: true,
				MeshID: "mesh1", Network: "network1", InstalledBy: "kubectl-mesh", Ready: 2, Desired: 2,
			}}
			for _, pod := range []string{"istiod-a", "istiod-b"} {
				seen.ControlPlanes[0].Replicas = append(seen.ControlPlanes[0].Replicas, snapshot.Replica{Pod: pod, Version: "1.29.1", Clusters: []snapshot.SyncedRemote{
					{ID: "east", Status: "synced"}, {ID: "south", Status: "synced"}, {ID: "west", Status: "synced"},
				}, Proxies: []snapshot.Proxy{{ID: "app-1.shop", Cluster: "west", Version: "1.29.1"}}})
			}
			seen.Gateways = []snapshot.Gateway{{Name: "istio-eastwestgateway", Type: "LoadBalancer", Address: "192.0.2.10", ReadyEndpoints: 1}}
			seen.Ports = []snapshot.Port{{Number: 15012, Trusted: true}, {Number: 15017, Trusted: true}}
			seen.Exposed = []string{"default"}
			for _, remote := range []string{"south", "west"} {
				seen.RemoteSecrets = append(seen.RemoteSecrets, snapshot.RemoteSecret{
					Secret: "istio-remote-secret-" + remote, Cluster: remote, Server: "https://" + remote + ".example:6443", CA: "ca-" + remote,
					UID: "uid-" + remote, Token: "token-" + remote,
					Use: &snapshot.CredentialUse{},
				})
			}
		}
		w.mesh.Clusters = append(w.mesh.Clusters, c)
		w.snapshot.Clusters[name] = seen
	}
	w.snapshot.Traffic = quickTraffic(names)
	return w
}

// quickTraffic is that of probes which all reached each other.
func quickTraffic(names []string) *snapshot.Traffic {
	traffic := &snapshot.Traffic{Namespace: "mesh-probe"}
	for _, from := range names {
		peers := map[string][]string{"http": {"spiffe://cluster.local/ns/mesh-probe/sa/" + from}, "grpc": {"spiffe://cluster.local/ns/mesh-probe/sa/" + from}, "tcp": {""}}
		for _, to := range names {
			for _, protocol := range []string{"http", "grpc", "tcp"} {
				traffic.Calls = append(traffic.Calls, snapshot.Call{
					From: from, To: to, Protocol: protocol, Sent: 10, Answered: 10, ByCluster: map[string]int{to: 10}, Peers: peers[protocol],
					P50: 1234 * time.Microsecond, P99: 12345 * time.Microsecond,
				})
			}
		}
		everywhere := snapshot.Call{From: from, Protocol: "http", Sent: 30, Answered: 30, ByCluster: map[string]int{}, Peers: peers["http"]}
		for _, to := range names {
			everywhere.ByCluster[to] = 30 / len(names)
		}
		traffic.Calls = append(traffic.Calls, everywhere)
	}
	return traffic
}

// call is a call of the traffic, to be changed; to is empty for the Service that is everywhere.
func (w *world) call(from, to, protocol string) *snapshot.Call {
	i := slices.IndexFunc(w.snapshot.Traffic.Calls, func(c snapshot.Call) bool {
		return c.From == from && c.To == to && c.Protocol == protocol
	})
	return &w.snapshot.Traffic.Calls[i]
}

// scenario is one thing wrong with a healthy mesh, and what a user is told of it.
type scenario struct {
	name string
	// command is that of a gate; empty for verify.
	command string
	change  func(w *world)
	// tells are the results that are neither passed nor skipped, as `status id cluster`. The golden file has their text.
	tells []string
}

func (s scenario) results() []Result {
	w := healthy()
	s.change(w)
	switch s.command {
	case "":
		return Verify(w.mesh, w.snapshot, w.charts, w.caller)
	case "preflight":
		return Preflight(w.mesh, w.snapshot, w.charts, w.caller)
	}
	return Gate(s.command, w.mesh, w.snapshot, w.charts, w.caller)
}

// play judges the scenarios and compares what is told with their expectation and the texts with a golden file.
func play(t *testing.T, file string, scenarios []scenario) {
	t.Helper()
	var text strings.Builder
	for _, s := range scenarios {
		results := s.results()
		var told []string
		for _, r := range results {
			if r.Status != Pass && r.Status != Skip {
				told = append(told, fmt.Sprintf("%s %s %s", r.Status, r.ID, r.Cluster))
			}
		}
		if !slices.Equal(told, s.tells) {
			t.Errorf("%s: told are %q, want %q", s.name, told, s.tells)
		}
		fmt.Fprintf(&text, "# %s\n%s\n", cmp.Or(s.command, "verify")+": "+s.name, lines(results, func(r Result) bool { return r.Status != Pass }))
	}
	golden.Equal(t, file, text.String())
}

// lines writes results as text.
func lines(results []Result, which func(Result) bool) string {
	var text strings.Builder
	for _, r := range results {
		if which(r) {
			fmt.Fprintf(&text, "%s %s %s: %s\n", r.Status, r.ID, r.Cluster, r.Seen)
			text.WriteString(fixText(r.Fix))
		}
	}
	return text.String()
}

// fixText writes a fix as text: what is to be replaced in a command is shown behind it.
func fixText(f Fix) string {
	var text strings.Builder
	if f.Advice != "" {
		fmt.Fprintf(&text, "  → %s\n", f.Advice)
	}
	for _, c := range f.Commands {
		fmt.Fprintf(&text, "  $ %s\n", shown(c))
	}
	for _, c := range f.Inspect {
		fmt.Fprintf(&text, "  ? %s\n", shown(c))
	}
	return text.String()
}

func shown(c command.Command) string {
	text := "[" + c.Cluster + "] " + c.String()
	if c.Piped {
		text = "| " + text
	}
	if len(c.Placeholders) > 0 {
		text += fmt.Sprintf(" (replace %s)", strings.Join(c.Placeholders, ", "))
	}
	return text
}
