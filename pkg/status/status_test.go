package status

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// world is a primary with the remotes west, which is well, and north, of which the second istiod knows nothing.
func world() (mesh.Mesh, *snapshot.Snapshot) {
	m := mesh.Mesh{ID: "mesh1", Namespace: "istio-system", Clusters: []mesh.Cluster{
		{Name: "east", Context: "ctx-east", Role: mesh.Primary, Network: "network1"},
		{Name: "west", Context: "ctx-west", Role: mesh.Remote, Network: "network1"},
		{Name: "north", Role: mesh.Remote, Network: "network2", Server: "https://north.example:6443"},
	}}
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	proxies := []snapshot.Proxy{
		{ID: "a.shop", Cluster: "east", Version: "1.28.0"}, {ID: "b.shop", Cluster: "west", Version: "1.29.1"}, {ID: "c.shop", Cluster: "west", Version: "1.28.0"},
	}
	east := &snapshot.Cluster{
		Name: "east", Server: "https://east.example:6443", KubernetesVersion: "v1.35.4",
		ControlPlanes: []snapshot.ControlPlane{{Name: "istiod", Revision: "default", Version: "1.29.1", TrustDomain: "cluster.local", Replicas: []snapshot.Replica{
			{Pod: "istiod-a", Version: "1.29.1", Clusters: []snapshot.SyncedRemote{{ID: "west", Status: "synced"}, {ID: "north", Status: "synced"}}, Proxies: proxies},
			{Pod: "istiod-b", Version: "1.29.0", Clusters: []snapshot.SyncedRemote{{ID: "west", Status: "synced"}, {ID: "north", Status: "timeout"}}, Proxies: proxies[1:]},
			{Pod: "istiod-c", Error: "no answer"},
		}}},
		Gateways: []snapshot.Gateway{{Name: "istio-eastwestgateway", Address: "192.0.2.10", ReadyEndpoints: 2, SourceRanges: []string{"10.0.0.0/8"}}},
		RemoteSecrets: []snapshot.RemoteSecret{
			{Secret: "istio-remote-secret-north", Cluster: "north", Created: created, Ends: created.AddDate(1, 0, 0)},
			{Secret: "istio-remote-secret-west", Cluster: "west", Created: created},
		},
	}
	return m, &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{
		"east": east, "west": {Name: "west", Server: "https://west.example:6443", KubernetesVersion: "v1.34.0"},
	}}
}

func TestOf(t *testing.T) {
	t.Parallel()
	m, s := world()
	sum := Of(m, s, []check.Result{
		{ID: "reachable", Category: check.Clusters, Cluster: "east", Status: check.Pass},
		{ID: "gateway-ready", Category: check.Gateway, Cluster: "east", Status: check.Pass},
		{ID: "clock-skew", Category: check.Clusters, Cluster: "west", Status: check.Warn, Seen: "12s ahead"},
		{ID: "token-expired", Category: check.Credentials, Cluster: "north", Status: check.Fail, Seen: "refused", Fix: check.Fix{Advice: "attach it again"}},
		{ID: "not-synced", Category: check.ControlPlane, Cluster: "north", Status: check.Skip, Seen: "needs token-expired", Needs: "token-expired"},
		{ID: "injection", Category: check.Injection, Cluster: "north", Status: check.Unknown, Seen: "could not look"},
	})
	text, err := json.MarshalIndent(sum, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "mesh.json", string(text)+"\n")
}

// A primary that could not be read is told apart from one without a mesh.
func TestUnread(t *testing.T) {
	t.Parallel()
	for part, want := range map[string]string{
		"":                         "",
		snapshot.Nodes:             "",
		snapshot.APIServer:         "API server: forbidden",
		snapshot.ControlPlanes:     "control planes: forbidden",
		snapshot.RemoteSecretsPart: "remote secrets: forbidden",
	} {
		m, s := world()
		s.Clusters["west"].Unreadable = []snapshot.Unreadable{{What: snapshot.APIServer, Reason: "of a remote"}}
		s.Clusters["east"].Unreadable = []snapshot.Unreadable{{What: part, Reason: "forbidden"}}
		if got := Of(m, s, nil).Unread; got != want {
			t.Errorf("%q could not be read: %q, want %q", part, got, want)
		}
	}
}

// What nobody looked at is unknown, not well.
func TestSkippedIsUnknown(t *testing.T) {
	t.Parallel()
	m, s := world()
	sum := Of(m, s, []check.Result{
		{ID: "no-istiod", Category: check.ControlPlane, Cluster: "east", Status: check.Fail},
		{ID: "not-synced", Category: check.ControlPlane, Cluster: "west", Status: check.Skip, Needs: "no-istiod"},
		{ID: "spread", Category: check.Traffic, Cluster: "north", Status: check.Skip, Seen: "one cluster only"},
	})
	var got []check.Status
	for _, c := range sum.Clusters {
		got = append(got, c.Status)
	}
	if want := []check.Status{check.Fail, check.Unknown, check.Pass}; !slices.Equal(got, want) {
		t.Errorf("the clusters are %v, want %v", got, want)
	}
}

// A fault of the primary's gateway is a fault of every remote that is served through it.
func TestAGatewayServesAll(t *testing.T) {
	t.Parallel()
	m, s := world()
	for _, l := range Of(m, s, []check.Result{{ID: "firewall", Category: check.Gateway, Cluster: "east", Status: check.Fail}}).Links {
		if broken := l.Status == check.Fail && slices.Equal(l.Because, []string{"firewall"}); broken != (l.Kind == Serves) {
			t.Errorf("%+v", l)
		}
	}
}

// Control planes that read each other have a link each way, as well as its own checks, and none serves the other.
func TestLinksOfTwoPrimaries(t *testing.T) {
	t.Parallel()
	m := mesh.Mesh{Namespace: "istio-system", Clusters: []mesh.Cluster{
		{Name: "east", Role: mesh.Primary}, {Name: "west", Role: mesh.Primary}, {Name: "north", Role: mesh.Remote, Primary: "west"},
	}}
	sum := Of(m, &snapshot.Snapshot{}, []check.Result{
		{ID: "secret-missing", Category: check.Credentials, Cluster: "north", ControlPlane: "east", Status: check.Fail},
		{ID: "firewall", Category: check.Gateway, Cluster: "west", ControlPlane: "west", Status: check.Fail},
		{ID: "clock-skew", Category: check.Clusters, Cluster: "west", Status: check.Warn},
	})
	var got []string
	for _, l := range sum.Links {
		got = append(got, fmt.Sprint(l.From, " ", l.Kind, " ", l.To, ": ", l.Status, l.Because))
	}
	want := []string{
		"east reads west: warn[clock-skew]", "east reads north: fail[secret-missing]",
		"west reads east: pass[]", "west reads north: pass[]", "north served-by west: fail[firewall]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}
