package e2e

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// flaw is what an unreliable proxy does with a request in place of passing it on and its answer back.
type flaw func(w http.ResponseWriter, r *http.Request, pass http.Handler)

// flaws are the ways in which a network, a load balancer or an API server that starts again fails a request.
func flaws() map[string]flaw {
	answer := func(code int, kind, body string) flaw {
		return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(code)
			fmt.Fprint(w, body)
		}
	}
	return map[string]flaw{
		"closed": func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) },
		// What was asked for is done, and nobody says so.
		"answer lost": func(_ http.ResponseWriter, r *http.Request, pass http.Handler) {
			pass.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		},
		"stalled": func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
			_, _ = io.Copy(io.Discard, r.Body) // else the end of the connection is not seen
			<-r.Context().Done()
		},
		"500":  answer(http.StatusInternalServerError, "text/plain", "internal error"),
		"503":  answer(http.StatusServiceUnavailable, "application/json", `{"error":"no healthy upstream"}`),
		"HTML": answer(http.StatusBadGateway, "text/html", "<html><body>Bad Gateway</body></html>"),
	}
}

// unreliable fails requests on the way to an API server: so many of thousand in each way, as a seed draws. It fails the same
// request three times at most, so that whoever makes it a fourth time has an answer.
type unreliable struct {
	pass   http.Handler
	shares map[string]int

	mu     sync.Mutex
	draw   *rand.Rand
	failed map[string]int
	// count says how often each flaw came about.
	count map[string]int
}

// choose draws what is done with a request; empty is to pass it on.
func (u *unreliable) choose(r *http.Request) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	request, drawn := r.Method+" "+r.URL.String(), u.draw.IntN(1000)
	for _, name := range slices.Sorted(maps.Keys(u.shares)) {
		share := u.shares[name]
		if drawn -= share; drawn < 0 && (share == 1000 || u.failed[request] < 3) {
			u.failed[request]++
			u.count[name]++
			return name
		} else if drawn < 0 {
			return ""
		}
	}
	return ""
}

// ServeHTTP implements http.Handler.
func (u *unreliable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name := u.choose(r); name != "" {
		flaws()[name](w, r, u.pass)
		return
	}
	u.pass.ServeHTTP(w, r)
}

// through returns the lab as it is seen through unreliable proxies: in its kubeconfig each of the clusters' contexts leads to
// one. HTTP/2 has all requests on one connection, without it each has its own.
func through(t *testing.T, lab *labtest.Lab, seed uint64, http2 bool, shares map[string]int, clusters ...string) *labtest.Lab {
	t.Helper()
	config, err := clientcmd.LoadFromFile(lab.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for i, cluster := range clusters {
		direct := configOf(t, lab, cluster)
		direct.NextProtos = []string{"http/1.1"} // port-forwarding upgrades connections
		transport, err := rest.TransportFor(direct)
		if err != nil {
			t.Fatal(err)
		}
		target, err := url.Parse(direct.Host)
		if err != nil {
			t.Fatal(err)
		}
		u := &unreliable{
			pass: &httputil.ReverseProxy{
				Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport, FlushInterval: -1,
				ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
			},
			shares: shares, draw: rand.New(rand.NewPCG(seed, uint64(i))),
			failed: map[string]int{}, count: map[string]int{},
		}
		server := httptest.NewUnstartedServer(u)
		server.EnableHTTP2 = http2
		server.StartTLS()
		t.Cleanup(func() {
			server.CloseClientConnections()
			server.Close()
			t.Logf("seed %d, %s, HTTP/2 %v: %v", seed, cluster, http2, u.count)
		})
		config.Clusters[cluster] = &api.Cluster{
			Server: server.URL, CertificateAuthorityData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		}
		config.AuthInfos[cluster] = &api.AuthInfo{}
		config.Contexts[cluster] = &api.Context{Cluster: cluster, AuthInfo: cluster}
	}
	seen := *lab
	seen.Kubeconfig = filepath.Join(t.TempDir(), "config")
	if err := clientcmd.WriteToFile(*config, seen.Kubeconfig); err != nil {
		t.Fatal(err)
	}
	return &seen
}

// judgedAs runs a command that judges, and returns its exit code and what it says has failed.
func judgedAs(t *testing.T, lab *labtest.Lab, args ...string) (code int, failed []string) {
	t.Helper()
	r := lab.Mesh(t, append(args, "-o", "json")...)
	var verdict struct {
		Results []struct{ ID, Cluster, Status, Seen string }
	}
	if err := json.Unmarshal([]byte(r.Stdout), &verdict); err != nil {
		t.Fatalf("%q: exit code %d, %v\n%s%s", args, r.Code, err, r.Stdout, r.Stderr)
	}
	for _, result := range verdict.Results {
		if result.Status == "fail" {
			failed = append(failed, result.ID+" "+result.Cluster+": "+result.Seen)
		}
		if result.Status == "unknown" {
			t.Logf("unknown is %s of %s: %s", result.ID, result.Cluster, result.Seen)
		}
	}
	return r.Code, failed
}

// some are flaws that each command meets a few times, as so many of thousand requests.
func some() map[string]int {
	return map[string]int{"closed": 15, "answer lost": 15, "stalled": 3, "500": 20, "503": 10, "HTML": 10}
}

// Through a network that fails some requests in every way, every command finishes, and what is judged is judged rightly.
func TestUnreliableNetwork(t *testing.T) {
	lab := clusters(t, 1, 1)
	server := configOf(t, lab, "cluster2").Host
	for seed, http2 := range []bool{true, false} {
		seen := through(t, lab, uint64(seed), http2, some(), "cluster1", "cluster2")
		if code, failed := judgedAs(t, seen, "preflight", "cluster2", "--context", "cluster1", "--remote-server", server); failed != nil || code != 0 && code != 3 {
			t.Errorf("preflight: exit code %d, %q", code, failed)
		}
		for _, command := range [][]string{
			{"install-primary", "--context", "cluster1", "--network", "network1", "-f", lab.Overlay},
			{"expose-istiod", "--context", "cluster1", "-f", lab.Overlay},
			{"attach-remote", "cluster2", "--context", "cluster1", "--remote-server", server},
		} {
			// What can't be made again, such as the creation of a token, may cost a second run.
			r := seen.Mesh(t, command...)
			for again := 0; r.Code == 1 && again < 3; again++ {
				t.Logf("%s has to run again: %s", command[0], r.Stderr)
				r = seen.Mesh(t, command...)
			}
			if r.Code != 0 {
				t.Fatalf("%q does not finish: exit code %d\n%s%s", command, r.Code, r.Stdout, r.Stderr)
			}
		}
		if code, failed := judgedAs(t, seen, "verify", "cluster2", "--context", "cluster1"); failed != nil || code != 0 && code != 3 {
			t.Errorf("verify of a healthy mesh: exit code %d, %q", code, failed)
		}
		if r := seen.Mesh(t, "status", "cluster2", "--context", "cluster1"); r.Code != 0 && r.Code != 3 {
			t.Errorf("status: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
	}
	healthy(t, lab, "cluster2")

	// Nor is a healthy mesh called broken where --timeout ends the command, whenever that is.
	for _, timeout := range []string{"60ms", "250ms", "1s", "4s"} {
		if code, failed := judgedAs(t, lab, "verify", "--context", "cluster1", "--timeout", timeout); failed != nil || code != 0 && code != 3 {
			t.Errorf("verify --timeout %s: exit code %d, %q", timeout, code, failed)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(flaws())) {
		dead := through(t, lab, 1, true, map[string]int{name: 1000}, "cluster2")
		args := []string{"--context", "cluster1", "--request-timeout", "5s"}
		if code, failed := judgedAs(t, dead, append([]string{"verify", "cluster2"}, args...)...); failed != nil || code != 3 {
			t.Errorf("%s: verify: exit code %d, %q", name, code, failed)
		}
		r := dead.Mesh(t, append([]string{"attach-remote", "cluster2", "--remote-server", server}, args...)...)
		if r.Code != 1 {
			t.Errorf("%s: attach-remote: exit code %d", name, r.Code)
		}
		mustContain(t, r.Stderr, "(reachable)", "Nothing was written")
	}

	lab.Kubectl(t, "cluster2", "-n", "istio-system", "delete", "endpointslice", "istiod")
	seen := through(t, lab, 2, true, some(), "cluster1", "cluster2")
	if code, _ := judgedAs(t, seen, "verify", "cluster2", "--context", "cluster1"); code != 1 && code != 3 {
		t.Errorf("verify of a broken mesh: exit code %d", code)
	}
}

// Nor do calls of a healthy mesh fail for what happens to requests on the way to an API server, and nothing of them stays.
func TestTrafficThroughAnUnreliableNetwork(t *testing.T) {
	lab := clusters(t, 2, 0)
	primary(t, lab)
	lab.MustMesh(t, "attach-remote", "cluster2", "--context", "cluster1")
	for seed, http2 := range []bool{true, false} {
		seen := through(t, lab, uint64(seed), http2, some(), "cluster1", "cluster2")
		code, failed := judgedAs(t, seen, "verify", "cluster2", "--context", "cluster1", "--traffic", "--probe-image", labtest.ProbeImage)
		if failed != nil || code != 0 && code != 3 {
			t.Errorf("verify --traffic of a healthy mesh: exit code %d, %q", code, failed)
		}
	}
	// Where the time is too short for the probes, nothing is known of them.
	lab.Lab(t, "pause", "cluster2", "kube-scheduler")
	for _, timeout := range []string{"3s", "10s"} {
		code, failed := judgedAs(t, lab, "verify", "--context", "cluster1", "--traffic", "--probe-image", labtest.ProbeImage, "--timeout", timeout)
		if failed != nil || code != 3 {
			t.Errorf("verify --traffic --timeout %s: exit code %d, %q", timeout, code, failed)
		}
	}
	lab.Lab(t, "resume", "cluster2", "kube-scheduler")
	// What could not be removed on the way, the next run removes.
	if bad, _ := withTraffic(t, lab); bad != nil {
		t.Errorf("without a proxy on the way: %q", bad)
	}
	for _, cluster := range []string{"cluster1", "cluster2"} {
		if left := lab.Kubectl(t, cluster, "get", "namespaces", "-l", "app.kubernetes.io/name=mesh-probe", "-o", `jsonpath={.items[?(@.status.phase=="Active")].metadata.name}`); left != "" {
			t.Errorf("%s has %s left", cluster, left)
		}
	}
}
