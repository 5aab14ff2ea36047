package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/status"
)

func today() time.Time { return time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC) }

// pair is a mesh of a primary and a remote, both well.
func pair() status.Mesh {
	return status.Mesh{
		ID: "mesh1", TrustDomain: "cluster.local", Revision: "default", Namespace: "istio-system", Status: check.Pass,
		Istiods: []status.Istiod{{Pod: "istiod-5c6b8f7d9-abcde", Version: "1.29.1", Synced: []string{"west"}}},
		Clusters: []status.Cluster{
			{Name: "east", Context: "ctx-east", Role: mesh.Primary, Network: "network1", Server: "https://east.example:6443", Kubernetes: "v1.35.4",
				Istio: []string{"1.29.1"}, Proxies: 4, Status: check.Pass,
				Gateways: []status.Gateway{{Name: "istio-eastwestgateway", Address: "192.0.2.10", Ready: 1, Open: true}}},
			{Name: "west", Context: "ctx-west", Role: mesh.Remote, Network: "network1", Server: "https://west.example:6443", Kubernetes: "v1.35.4",
				Istio: []string{"1.29.1"}, Proxies: 2, Status: check.Pass,
				Credentials: &status.Credentials{Secret: "istio-remote-secret-west", Created: today().Add(-50 * 24 * time.Hour)}},
		},
		Links: []status.Link{
			{From: "east", To: "west", Kind: status.Reads, Status: check.Pass},
			{From: "west", To: "east", Kind: status.Serves, Status: check.Pass},
		},
	}
}

// broken is a mesh on two networks, with one remote that is well, one that is not, and one that nobody could look at.
func broken() status.Mesh {
	m := pair()
	m.Status = check.Fail
	m.Istiods = append(m.Istiods, status.Istiod{Pod: "istiod-5c6b8f7d9-fghij", Version: "1.29.1", Synced: []string{"west"}, Unsynced: []string{"north", "far-away"}},
		status.Istiod{Pod: "istiod-5c6b8f7d9-klmno", Error: "dial tcp: i/o timeout"})
	m.Istiods[0].Unsynced = []string{"north", "far-away"}
	m.Clusters[1].Credentials.Ends = today().Add(36 * time.Hour)
	m.Clusters = append(m.Clusters,
		status.Cluster{Name: "north", Context: "ctx-north", Role: mesh.Remote, Network: "network2", Kubernetes: "v1.34.0", Status: check.Fail,
			Credentials: &status.Credentials{Secret: "istio-remote-secret-north", Created: today().Add(-400 * 24 * time.Hour), Ends: today().Add(-time.Hour)},
			Gateways:    []status.Gateway{{Name: "istio-eastwestgateway"}},
			Problems: []status.Problem{
				{ID: "token-expired", Status: check.Fail, Seen: `the API server https://north.example:6443 refuses the token of "istio-remote-secret-north"`,
					Fix: check.Fix{Commands: []command.Command{{Cluster: "east", Argv: []string{"kubectl", "mesh", "attach-remote", "ctx-north", "--context", "ctx-east"}}}}},
				{ID: "slice-missing", Status: check.Fail, Seen: "Service istiod has no addresses"},
				{ID: "mesh-id", Status: check.Fail, Seen: "mesh2, not mesh1"},
				{ID: "clock-skew", Status: check.Warn, Seen: "12s ahead"},
				{ID: "leftover", Status: check.Warn, Seen: "something is left"},
			}},
		status.Cluster{Name: "far-away", Role: mesh.Remote, Network: "", Status: check.Unknown,
			Problems: []status.Problem{{ID: "reachable", Status: check.Unknown, Seen: "no context leads to <this> & \"that\" cluster"}}},
	)
	m.Links = append(m.Links,
		status.Link{From: "east", To: "north", Kind: status.Reads, Status: check.Fail, Because: []string{"token-expired", "mesh-id"}},
		status.Link{From: "north", To: "east", Kind: status.Serves, Status: check.Fail, Because: []string{"slice-missing"}},
		status.Link{From: "east", To: "far-away", Kind: status.Reads, Status: check.Unknown, Because: []string{"reachable"}},
		status.Link{From: "far-away", To: "east", Kind: status.Serves, Status: check.Unknown},
	)
	return m
}

// wideMesh has a primary with n remotes.
func wideMesh(n int) status.Mesh {
	m := pair()
	for i := 2; i <= n; i++ {
		remote := m.Clusters[1]
		remote.Name = fmt.Sprintf("west-%d", i)
		m.Clusters = append(m.Clusters, remote)
		m.Istiods[0].Synced = append(m.Istiods[0].Synced, remote.Name)
		m.Links = append(m.Links, status.Link{From: "east", To: remote.Name, Kind: status.Reads, Status: check.Pass},
			status.Link{From: remote.Name, To: "east", Kind: status.Serves, Status: check.Pass})
	}
	return m
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for name, sum := range map[string]status.Mesh{"healthy": pair(), "broken": broken(), "bare": {
		Revision: "default", Status: check.Fail, Clusters: []status.Cluster{{Name: "ctx-east", Role: mesh.Primary, Status: check.Fail,
			Problems: []status.Problem{{ID: "no-istiod", Status: check.Fail, Seen: "no istiod in istio-system"}}}},
	}} {
		var text, wide, names strings.Builder
		if err := errors.Join(Status(&text, Style{Width: 80}, sum, today()), StatusWide(&wide, Style{Width: 80}, sum, today()), StatusNames(&names, sum)); err != nil {
			t.Fatal(err)
		}
		golden.Equal(t, "status-"+name+".txt", text.String()+"\n--- wide\n"+wide.String()+"\n--- name\n"+names.String())
	}
}

func TestGraph(t *testing.T) {
	t.Parallel()
	for name, sum := range map[string]status.Mesh{"healthy": pair(), "broken": broken(), "many": wideMesh(6)} {
		for form, write := range map[string]func(io.Writer, status.Mesh) error{
			"mmd": Mermaid, "dot": DOT, "svg": func(w io.Writer, sum status.Mesh) error { return SVG(w, sum, today()) },
		} {
			var text strings.Builder
			if err := write(&text, sum); err != nil {
				t.Fatal(err)
			}
			golden.Equal(t, "graph-"+name+"."+form, text.String())
			if form == "svg" {
				mustBeXML(t, text.String())
			}
		}
	}
}

// mustBeXML fails where a browser would.
func mustBeXML(t *testing.T, text string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
