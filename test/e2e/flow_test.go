package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// strictMesh takes mutual TLS alone, denies what no policy allows, and lets sidecars see their own namespace only. In
// Istio's root namespace the denial is the gateway's too, which must let the remotes through to istiod.
const strictMesh = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny-by-default, namespace: istio-system}
spec: {}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: gateway, namespace: istio-system}
spec: {selector: {matchLabels: {istio: eastwestgateway}}, rules: [{to: [{operation: {ports: ["15012", "15017"]}}]}]}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: istio-system}
spec: {egress: [{hosts: ["./*", "istio-system/*"]}]}
`

// The main job: two bare clusters become one mesh, whose services reach each other; doing it again does nothing.
func TestFlow(t *testing.T) {
	lab := clusters(t, 2, 0)
	steps := [][]string{
		{"install-primary", "--context", "cluster1", "--network", "network1", "-f", lab.Overlay},
		{"expose-istiod", "--context", "cluster1", "-f", lab.Overlay},
		{"attach-remote", "cluster2", "--context", "cluster1"},
	}
	for i, said := range []string{"cluster1 is the primary of mesh mesh1", "istiod of cluster1 is published at 10.", "Attached to cluster1: cluster2."} {
		mustContain(t, lab.MustMesh(t, steps[i]...).Stdout, said, "Next: kubectl mesh ")
	}

	r := lab.Mesh(t, "verify", "--context", "cluster1", "--traffic", "--probe-image", labtest.ProbeImage, "-o", "json")
	if r.Code != 0 {
		t.Fatalf("verify --traffic: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	var verdict struct {
		Traffic struct {
			Namespace string
			Calls     []struct {
				From, To, Protocol string
				Sent, Answered     int
				ByCluster          map[string]int
				Peers              []string
			}
			Dials []struct {
				From, To, Purpose, Address, Error string
				Trusted                           bool
			}
		}
	}
	if err := json.Unmarshal([]byte(r.Stdout), &verdict); err != nil {
		t.Fatal(err)
	}
	pairs := map[string]bool{}
	for _, c := range verdict.Traffic.Calls {
		if c.Answered != c.Sent || c.Sent == 0 {
			t.Errorf("%s to %q over %s: %d of %d calls were answered", c.From, c.To, c.Protocol, c.Answered, c.Sent)
		}
		identity := "spiffe://cluster.local/ns/" + verdict.Traffic.Namespace + "/sa/from-" + c.From
		if c.Protocol != "tcp" && (len(c.Peers) != 1 || c.Peers[0] != identity) {
			t.Errorf("%s to %q over %s: servers saw %v, not %s", c.From, c.To, c.Protocol, c.Peers, identity)
		}
		if c.To == "" && len(c.ByCluster) != 2 {
			t.Errorf("a Service in both clusters, called from %s, was answered by %v", c.From, c.ByCluster)
		}
		pairs[c.From+">"+c.To] = true
	}
	for _, pair := range []string{"cluster1>cluster1", "cluster1>cluster2", "cluster2>cluster1", "cluster2>cluster2"} {
		if !pairs[pair] {
			t.Errorf("no calls were made for %s", pair)
		}
	}
	dialled := map[string]bool{}
	for _, d := range verdict.Traffic.Dials {
		if d.Error != "" || !d.Trusted {
			t.Errorf("from pods of %s, %s: %q, trusted is %t", d.From, d.Address, d.Error, d.Trusted)
		}
		dialled[d.From+">"+d.To+" "+d.Purpose] = true
	}
	for _, wanted := range []string{"cluster2>cluster1 istiod", "cluster2>cluster1 webhook", "cluster1>cluster2 api-server"} {
		if !dialled[wanted] {
			t.Errorf("no handshake was made for %s", wanted)
		}
	}
	if token := readerToken(t, lab, "cluster2"); strings.Contains(r.Stdout+r.Stderr, token) {
		t.Error("verify tells the token of cluster2")
	}
	for _, cluster := range []string{"cluster1", "cluster2"} {
		if left := lab.Kubectl(t, cluster, "get", "namespaces", "-l", "app.kubernetes.io/name=mesh-probe", "-o", "name"); left != "" {
			t.Errorf("the probe has left in %s: %s", cluster, left)
		}
	}

	// A mesh that denies by default, and takes nothing but mutual TLS, must not make the probes lie.
	strict := filepath.Join(t.TempDir(), "strict.yaml")
	if err := os.WriteFile(strict, []byte(strictMesh), 0o600); err != nil {
		t.Fatal(err)
	}
	lab.Kubectl(t, "cluster1", "apply", "-f", strict)
	r = lab.Mesh(t, "verify", "--context", "cluster1", "--traffic", "--probe-image", labtest.ProbeImage)
	if r.Code != 0 {
		t.Errorf("verify --traffic in a strict mesh: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}

	before := versions(t, lab, "cluster1", "cluster2")
	for i, said := range []string{"nothing was written", "nothing was written", "Nothing was written"} {
		mustContain(t, lab.MustMesh(t, steps[i]...).Stdout, said)
	}
	mustBeUnwritten(t, before, versions(t, lab, "cluster1", "cluster2"))

	shown(t, lab)
	known := lab.Run(t, "istioctl", "--context", "cluster1", "remote-clusters")
	mustContain(t, known.Stdout, "cluster2", "synced")
}

// shown fails unless status and graph show a mesh of two clusters that is well.
func shown(t *testing.T, lab *labtest.Lab) {
	t.Helper()
	status := []string{"status", "--context", "cluster1"}
	mustContain(t, lab.MustMesh(t, status...).Stdout, "✓ mesh1: 2 of 2 clusters well", "gateway of cluster1 at 10.", "1 of 1", "for 1 of 1 remote, the oldest ")
	if names := lab.MustMesh(t, append(status, "-o", "name")...).Stdout; names != "cluster/cluster1\ncluster/cluster2\n" {
		t.Errorf("status -o name: %q", names)
	}
	var sum struct {
		Clusters []struct {
			Proxies     int
			Credentials *struct{ Created, Ends time.Time }
		}
		Links []struct{ Status string }
	}
	if err := json.Unmarshal([]byte(lab.MustMesh(t, append(status, "-o", "json")...).Stdout), &sum); err != nil {
		t.Fatal(err)
	}
	if held := sum.Clusters[1].Credentials; held == nil || held.Created.IsZero() || !held.Ends.IsZero() {
		t.Errorf("the credentials of cluster2: %+v; want a time of their making, and no end", held)
	}
	if sum.Clusters[0].Proxies == 0 { // the gateway's, at least
		t.Errorf("cluster1 has no proxies")
	}
	if len(sum.Links) != 2 || sum.Links[0].Status != "pass" || sum.Links[1].Status != "pass" {
		t.Errorf("links %+v", sum.Links)
	}
	mustContain(t, lab.MustMesh(t, "graph", "--context", "cluster1").Stdout, "flowchart LR\n", `-->|"reads"|`, `-->|"is served by"|`)
	mustContain(t, lab.MustMesh(t, "graph", "--context", "cluster1", "-o", "svg").Stdout, "<svg xmlns=", "2 of 2 clusters well", "</svg>")
}

// A second control plane beside none, under a revision of its own.
func TestRevision(t *testing.T) {
	lab := clusters(t, 2, 0)
	primary(t, lab, "--revision", "canary")
	out := lab.MustMesh(t, "attach-remote", "west=cluster2", "--context", "cluster1")
	mustContain(t, out.Stdout, "Attached to cluster1: west.")
	r := lab.Mesh(t, "verify", "--context", "cluster1", "--traffic", "--probe-image", labtest.ProbeImage, "-o", "wide")
	if r.Code != 0 {
		t.Fatalf("verify --traffic: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	mustContain(t, r.Stdout, "revision canary", "west: ")
	lab.Kubectl(t, "cluster2", "-n", "istio-system", "get", "service", "istiod-canary")
}

// Several remotes at once; one that fails does not stop the others, and the summary says which.
func TestManyRemotes(t *testing.T) {
	lab := clusters(t, 1, 3)
	primary(t, lab)
	// Without its controller manager a cluster never fills the token of an account.
	lab.Lab(t, "stop", "cluster3", "kube-controller-manager")
	attach := []string{"attach-remote", "cluster2", "cluster3", "cluster4", "--context", "cluster1", "--timeout", "45s"}
	r := lab.Mesh(t, attach...)
	if r.Code != 1 {
		t.Errorf("exit code %d, not 1", r.Code)
	}
	mustContain(t, r.Stdout, "Attached to cluster1: cluster2, cluster4.", "Not attached: cluster3.")
	mustContain(t, r.Stderr, "cluster3", "token", "the same command does the rest")

	lab.Lab(t, "start", "cluster3", "kube-controller-manager")
	mustContain(t, lab.MustMesh(t, attach...).Stdout, "Attached to cluster1: cluster2, cluster3, cluster4.")
	healthy(t, lab, "cluster2", "cluster3", "cluster4")
}
