package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// readerToken is the token that istiod reads a remote with.
func readerToken(t *testing.T, lab *labtest.Lab, cluster string) string {
	t.Helper()
	encoded := lab.Kubectl(t, cluster, "-n", "istio-system", "get", "secret", "istio-reader-service-account-istio-remote-secret-token", "-o", "jsonpath={.data.token}")
	token, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(token) == 0 {
		t.Fatalf("no token: %v", err)
	}
	return string(token)
}

// inNetwork runs nft in a cluster's network namespace, which is its node's.
func inNetwork(t *testing.T, lab *labtest.Lab, cluster, rules string) {
	t.Helper()
	var status struct {
		Clusters []struct {
			Name       string
			Components []struct {
				PID     int
				Running bool
			}
		}
	}
	if err := json.Unmarshal([]byte(lab.Lab(t, "status", "-o", "json")), &status); err != nil {
		t.Fatal(err)
	}
	for _, c := range status.Clusters {
		for _, component := range c.Components {
			if c.Name != cluster || !component.Running {
				continue
			}
			// What a test has set is taken away when its own context has ended.
			command := exec.CommandContext(context.WithoutCancel(t.Context()), "nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", component.PID), "nft", "-f", "-")
			command.Stdin = strings.NewReader(rules)
			if out, err := command.CombinedOutput(); err != nil {
				t.Fatalf("nft in %s: %v\n%s", cluster, err, out)
			}
			return
		}
	}
	t.Fatalf("nothing runs in %s", cluster)
}

// drop lets packets vanish that a rule of nftables matches; of pods are those that are forwarded.
func drop(t *testing.T, lab *labtest.Lab, cluster string, hooks []string, match string) {
	t.Helper()
	rules := "table inet km_test {}\ndelete table inet km_test\ntable inet km_test {\n"
	for _, hook := range hooks {
		rules += fmt.Sprintf("chain at_%s { type filter hook %s priority 0; %s drop; }\n", hook, hook, match)
	}
	inNetwork(t, lab, cluster, rules+"}\n")
}

// restore takes away what drop has done.
func restore(t *testing.T, lab *labtest.Lab, cluster string) {
	t.Helper()
	inNetwork(t, lab, cluster, "table inet km_test {}\ndelete table inet km_test\n")
}

type judged struct{ ID, Cluster, To, Status, Seen string }

// withTraffic runs verify --traffic and returns what did not pass, and all of it.
func withTraffic(t *testing.T, lab *labtest.Lab) (bad []string, all []judged) {
	t.Helper()
	return judgements(t, verifyTraffic(t, lab))
}

func verifyTraffic(t *testing.T, lab *labtest.Lab) labtest.Result {
	t.Helper()
	return lab.Mesh(t, "verify", "--context", "cluster1", "--traffic", "--probe-image", labtest.ProbeImage, "-o", "json")
}

// judgements reads what verify prints: what did not pass, and all of it.
func judgements(t *testing.T, r labtest.Result) (bad []string, all []judged) {
	t.Helper()
	var verdict struct{ Results []judged }
	if err := json.Unmarshal([]byte(r.Stdout), &verdict); err != nil {
		t.Fatalf("exit code %d: %v\n%s%s", r.Code, err, r.Stdout, r.Stderr)
	}
	for _, result := range verdict.Results {
		if result.Status != "pass" && result.Status != "skip" {
			bad = append(bad, fmt.Sprintf("%s %s %s", result.Status, result.ID, result.Cluster))
			t.Logf("%s %s %s: %s", result.Status, result.ID, result.Cluster, result.Seen)
		}
	}
	return bad, verdict.Results
}

// seen is what the result of a check says.
func seen(t *testing.T, all []judged, id, cluster, to string) string {
	t.Helper()
	i := slices.IndexFunc(all, func(r judged) bool { return r.ID == id && r.Cluster == cluster && r.To == to })
	if i < 0 {
		t.Fatalf("%s says nothing of %s %s", id, cluster, to)
	}
	return all[i].Seen
}

// A port that is closed to a remote is named once, from where it is called; this machine, which gets through, does not
// count.
func TestPortsClosedToARemote(t *testing.T) {
	lab := clusters(t, 2, 0)
	primary(t, lab)
	lab.MustMesh(t, "attach-remote", "cluster2", "--context", "cluster1")
	t.Cleanup(func() { restore(t, lab, "cluster2") })
	for _, test := range []struct {
		name, match string
		hooks       []string
		bad         []string
		says        string
	}{
		{"15017, the API server too", "tcp dport 15017", []string{"forward", "output"}, []string{"fail firewall cluster2"}, ":15017: i/o timeout"},
		{"15012", "tcp dport 15012", []string{"forward"}, []string{"fail firewall cluster2"}, ":15012: i/o timeout"},
		{"15017, pods alone", "tcp dport 15017", []string{"forward"}, nil, "not on port 15017 (i/o timeout), but the API server"},
	} {
		t.Run(test.name, func(t *testing.T) {
			drop(t, lab, "cluster2", test.hooks, test.match)
			bad, all := withTraffic(t, lab)
			if !slices.Equal(bad, test.bad) {
				t.Errorf("not passed: %q, want %q", bad, test.bad)
			}
			mustContain(t, seen(t, all, "firewall", "cluster2", ""), test.says)
		})
	}
}

// Each pair is broken at another link, and explained by that.
func TestBrokenPairs(t *testing.T) {
	lab := clusters(t, 2, 0)
	primary(t, lab)
	lab.MustMesh(t, "attach-remote", "cluster2", "--context", "cluster1")
	t.Cleanup(func() { restore(t, lab, "cluster1") })
	pods := lab.Kubectl(t, "cluster2", "get", "nodes", "-o", "jsonpath={.items[0].spec.podCIDR}")
	drop(t, lab, "cluster1", []string{"forward"}, "ip daddr "+pods+" tcp dport 8080-8082")

	both := []string{"cluster1", "cluster2"}
	for _, cluster := range both { // no probe starts before all is broken
		lab.Lab(t, "pause", cluster, "kube-scheduler")
		t.Cleanup(func() { lab.Lab(t, "resume", cluster, "kube-scheduler") })
	}
	verified := make(chan labtest.Result, 1)
	go func() { verified <- verifyTraffic(t, lab) }()
	namespace := probeNamespace(t, lab, both...)
	lab.Kubectl(t, "cluster2", "-n", namespace, "delete", "service", "in-cluster1")
	apply := lab.Command(t.Context(), "kubectl", "--context", "cluster1", "-n", namespace, "create", "-f", "-")
	apply.Stdin = strings.NewReader(strings.ReplaceAll(brokenPairs, "NAMESPACE", namespace))
	if out, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, cluster := range both {
		lab.Lab(t, "resume", cluster, "kube-scheduler")
	}
	bad, all := judgements(t, <-verified)
	want := []string{"fail traffic cluster1", "fail traffic cluster1", "fail traffic cluster2", "fail traffic cluster2"}
	if !slices.Equal(bad, want) {
		t.Errorf("not passed: %q, want %q", bad, want)
	}
	for pair, says := range map[[2]string]string{
		{"cluster1", "cluster1"}: "An AuthorizationPolicy forbids it: no-strangers in kubectl-mesh-probe-",
		{"cluster1", "cluster2"}: "Packets from pods of cluster1 do not reach pods of cluster2.",
		{"cluster2", "cluster1"}: "DNS of cluster2 does not know the Service",
		{"cluster2", "cluster2"}: "Pods of cluster2 take mutual TLS alone (PeerAuthentication STRICT)",
	} {
		mustContain(t, seen(t, all, "traffic", pair[0], pair[1]), says)
	}
}

// brokenPairs is what sidecars are told in TestBrokenPairs.
const brokenPairs = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-strangers}
spec: {selector: {matchLabels: {kubectl-mesh.github.io/cluster: cluster1}}, action: DENY, rules: [{}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict}
spec: {mtls: {mode: STRICT}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: plain}
spec: {host: in-cluster2.NAMESPACE.svc.cluster.local, trafficPolicy: {tls: {mode: DISABLE}}}
`

// probeNamespace waits until the probes' namespace and Services, one for each cluster, are in the clusters.
func probeNamespace(t *testing.T, lab *labtest.Lab, clusters ...string) (namespace string) {
	t.Helper()
	var services []string
	for _, cluster := range clusters {
		services = append(services, "in-"+cluster)
	}
	kubectl := func(ctx context.Context, args ...string) (string, error) {
		out, err := lab.Command(ctx, "kubectl", args...).Output()
		return string(out), err
	}
	for _, cluster := range clusters {
		err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 5*time.Minute, true, func(ctx context.Context) (begun bool, err error) {
			namespace, err = kubectl(ctx, "--context", cluster, "get", "namespaces", "-l", "app.kubernetes.io/name=mesh-probe",
				"-o", `jsonpath={.items[?(@.status.phase=="Active")].metadata.name}`)
			if err != nil || namespace == "" {
				return false, nil //nolint:nilerr // it is asked again
			}
			_, err = kubectl(ctx, append([]string{"--context", cluster, "-n", namespace, "get", "service"}, services...)...)
			return err == nil, nil
		})
		if err != nil {
			t.Fatalf("no probe begins in %s: %v", cluster, err)
		}
	}
	return namespace
}
