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

// cluster is one that is wanted, to be changed.
func (w *world) cluster(name string) *mesh.Cluster {
	i := slices.IndexFunc(w.mesh.Clusters, func(c mesh.Cluster) bool { return c.Name == name })
	return &w.mesh.Clusters[i]
}

// setCABundles has every webhook of a cluster's injectors trust one certificate; none where it is empty.
func (w *world) setCABundles(cluster, root string) {
	for i := range w.snapshot.Clusters[cluster].Injectors {
		w.snapshot.Clusters[cluster].Injectors[i].CABundles = []string{root}
	}
}

// setSync is what each replica of the first primary says of a cluster.
func (w *world) setSync(cluster string, statuses ...string) {
	for i, status := range statuses {
		for j, c := range w.controlPlane().Replicas[i].Clusters {
			if c.ID == cluster {
				w.controlPlane().Replicas[i].Clusters[j].Status = status
			}
		}
	}
}

// forget takes a cluster out of the list of every replica of a primary.
func (w *world) forget(primary, cluster string) {
	for i := range w.snapshot.Clusters[primary].ControlPlanes {
		replicas := w.snapshot.Clusters[primary].ControlPlanes[i].Replicas
		for j := range replicas {
			replicas[j].Clusters = slices.DeleteFunc(replicas[j].Clusters, func(c snapshot.SyncedRemote) bool { return c.ID == cluster })
		}
	}
}

// couldNotRead is a part that could not be looked at.
func couldNotRead(what, reason string) []snapshot.Unreadable {
	return []snapshot.Unreadable{{What: what, Reason: reason}}
}

// healthy is a mesh of the primary east and the remotes south and west, with nothing wrong about it.
func healthy() *world {
	return healthyMesh(
		mesh.Cluster{Name: "east", Role: mesh.Primary, Network: "network1"},
		mesh.Cluster{Name: "south", Role: mesh.Remote, Network: "network1"},
		mesh.Cluster{Name: "west", Role: mesh.Remote, Network: "network1"},
	)
}

// healthyMesh is a mesh of these clusters with nothing wrong about it: every control plane reads all clusters, and each network has
// a gateway where there are several.
func healthyMesh(clusters ...mesh.Cluster) *world {
	w := &world{
		mesh:     mesh.Mesh{ID: "mesh1", Namespace: "istio-system", Clusters: clusters},
		snapshot: &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{}},
		charts:   charts(),
	}
	var names []string
	for i := range clusters {
		c := &clusters[i]
		c.Context = "ctx-" + c.Name
		names = append(names, c.Name)
		w.snapshot.Clusters[c.Name] = w.seenRemote(*c, i)
	}
	for _, primary := range w.mesh.Primaries() {
		w.addControlPlane(primary, w.snapshot.Clusters[primary.Name])
	}
	if len(w.mesh.Networks()) > 1 {
		for _, c := range clusters {
			w.connect(c, w.snapshot.Clusters[c.Name])
		}
	}
	w.snapshot.Traffic = quickTraffic(names)
	return w
}

// gatewayOf is the address of the east-west gateway of a primary.
func (w *world) gatewayOf(primary mesh.Cluster) string {
	i := slices.IndexFunc(w.mesh.Primaries(), func(p mesh.Cluster) bool { return p.Name == primary.Name })
	return fmt.Sprintf("192.0.2.%d", 10*(i+1))
}

// seenRemote is what is seen of a remote; i is its place in the mesh.
func (w *world) seenRemote(c mesh.Cluster, i int) *snapshot.Cluster {
	primary, _ := w.mesh.PrimaryOf(c)
	path := "/inject/cluster/" + c.Name + "/net/" + c.Network
	return &snapshot.Cluster{
		Name: c.Name, Context: c.Context, Server: "https://" + c.Name + ".example:6443", UID: "uid-" + c.Name, CA: "ca-" + c.Name,
		KubernetesVersion: "v1.35.4", RootCert: "root", Nodes: 2, ReadyNodes: 2,
		Namespace: &snapshot.Namespace{Network: c.Network, ControlPlaneClusters: primary.Name},
		Injectors: []snapshot.Injector{
			{Name: "istio-sidecar-injector", Revision: "default", Paths: []string{path}, Hosts: []string{""}, CABundles: []string{"root"}},
			{Name: "istio-revision-tag-default", Revision: "default", Tag: "default", Paths: []string{path}, Hosts: []string{""}, CABundles: []string{"root"}},
		},
		IstiodServices: []snapshot.IstiodService{{Name: "istiod", Addresses: []string{w.gatewayOf(primary)}}},
		RootCerts:      map[string]string{"istio-system": "root", "shop": "root"},
		Injected:       []string{"shop"},
		ReaderToken:    &snapshot.ReaderToken{Filled: true, Token: "token-" + c.Name},
		Installed:      map[string]snapshot.Installed{"default": {MeshID: "mesh1", IstiodAddress: w.gatewayOf(primary)}},
		PodRanges:      []string{fmt.Sprintf("10.%d.0.0/16", i+1)},
		Evidence:       snapshot.Evidence{Injection: &snapshot.Injection{}, Clock: &snapshot.Clock{}},
	}
}

// addControlPlane makes a cluster a primary that has read all others.
func (w *world) addControlPlane(c mesh.Cluster, seen *snapshot.Cluster) {
	seen.Namespace.ControlPlaneClusters = ""
	seen.IstiodServices = []snapshot.IstiodService{{Name: "istiod", Selector: true, Addresses: []string{"10.1.0.5"}}}
	for i := range seen.Injectors {
		seen.Injectors[i].Paths = []string{"/inject"}
	}
	controlPlane := snapshot.ControlPlane{
		Name: "istiod", Revision: "default", Version: "1.29.1", Hub: "docker.io/istio", ClusterID: c.Name, ExternalIstiod: true,
		MeshID: "mesh1", Network: c.Network, InstalledBy: "kubectl-mesh", Ready: 2, Desired: 2,
	}
	synced := []snapshot.SyncedRemote{{ID: c.Name, Status: "synced"}}
	for _, read := range w.mesh.ReadBy(c) {
		synced = append(synced, snapshot.SyncedRemote{ID: read.Name, Status: "synced"})
		seen.RemoteSecrets = append(seen.RemoteSecrets, snapshot.RemoteSecret{
			Secret: "istio-remote-secret-" + read.Name, Cluster: read.Name, Server: "https://" + read.Name + ".example:6443", CA: "ca-" + read.Name,
			UID: "uid-" + read.Name, Token: "token-" + read.Name,
			Use: &snapshot.CredentialUse{},
		})
	}
	served := c.Name
	for _, remote := range w.mesh.ServedBy(c) {
		served = remote.Name // the last
	}
	for _, pod := range []string{"istiod-a", "istiod-b"} {
		controlPlane.Replicas = append(controlPlane.Replicas, snapshot.Replica{
			Pod: pod, Version: "1.29.1", Clusters: slices.Clone(synced), Proxies: []snapshot.Proxy{{ID: "app-1.shop", Cluster: served, Version: "1.29.1"}},
		})
	}
	seen.ControlPlanes = []snapshot.ControlPlane{controlPlane}
	seen.Gateways = []snapshot.Gateway{{Name: "istio-eastwestgateway", Type: "LoadBalancer", Address: w.gatewayOf(c), ReadyEndpoints: 1}}
	seen.Ports = []snapshot.Port{{Number: 15012, Trusted: true}, {Number: 15017, Trusted: true}}
	seen.Exposed = []string{"default"}
}

// connect publishes the services of a cluster's network to others, as Istio's guide does.
func (w *world) connect(c mesh.Cluster, seen *snapshot.Cluster) {
	labels := map[string]string{"istio": "eastwestgateway"}
	gateway := snapshot.Gateway{
		Name: "istio-eastwestgateway", Type: "LoadBalancer", Network: c.Network, Address: "192.0.2.20", ReadyEndpoints: 1, CrossNetworkPort: 15443,
		Ports: []int32{15443}, Selector: labels,
	}
	if c.Role == mesh.Primary {
		gateway.Address, gateway.Ports = w.gatewayOf(c), []int32{15021, 15443, 15012, 15017}
		seen.Passthrough = []snapshot.Passthrough{{Name: "cross-network-gateway", Selector: labels}}
	}
	seen.Gateways = []snapshot.Gateway{gateway}
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

// scenario is one thing wrong with a healthy mesh, and what is reported of it.
type scenario struct {
	name string
	// mesh is the healthy one; nil for that of healthy.
	mesh func() *world
	// command is that of a gate; empty for verify.
	command string
	change  func(w *world)
	// want are the results that are neither passed nor skipped, as `status id cluster`, with `control plane → ` before the cluster
	// where there are several. The golden file has their text.
	want []string
}

// broken is the mesh with what is wrong with it.
func (s scenario) broken() *world {
	mesh := s.mesh
	if mesh == nil {
		mesh = healthy
	}
	w := mesh()
	s.change(w)
	return w
}

func (s scenario) results() []Result { return s.judge(s.broken()) }

func (s scenario) judge(w *world) []Result {
	return Judge(cmp.Or(s.command, AskedByVerify), w.mesh, w.snapshot, w.charts, w.caller)
}

// where names the cluster that a result is about, and the control plane where there are several.
func where(r Result) string {
	if r.ControlPlane != "" && r.ControlPlane != r.Cluster {
		return r.ControlPlane + " → " + r.Cluster
	}
	return r.Cluster
}

// play judges the scenarios and compares what is reported with their expectation and the texts with a golden file.
func play(t *testing.T, file string, scenarios []scenario) {
	t.Helper()
	var text strings.Builder
	for _, s := range scenarios {
		results := s.results()
		var got []string
		for _, r := range results {
			if r.Status != Pass && r.Status != Skip {
				got = append(got, fmt.Sprintf("%s %s %s", r.Status, r.ID, where(r)))
			}
		}
		if !slices.Equal(got, s.want) {
			t.Errorf("%s: got %q, want %q", s.name, got, s.want)
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
			fmt.Fprintf(&text, "%s %s %s: %s\n", r.Status, r.ID, where(r), r.Seen)
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
