package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// hostname is what a load balancer of the lab gives the gateway of cluster1 instead of an IP.
const hostname = "istio-eastwestgateway.istio-system.cluster1.lab.test"

// hostnames has the load balancer of cluster1 give one, as AWS's do, or several.
func hostnames(t *testing.T, lab *labtest.Lab, mode string) {
	t.Helper()
	lab.Lab(t, "lb", "cluster1", mode)
	t.Cleanup(func() { lab.Lab(t, "lb", "cluster1", "ip") })
}

// calls fails unless each webhook of the revision's injector in cluster2 is called at the port of the hostname.
func calls(t *testing.T, lab *labtest.Lab, revision string, port int) {
	t.Helper()
	want := fmt.Sprintf("https://%s:%d/inject/cluster/cluster2/net/network1", hostname, port)
	urls := lab.Kubectl(t, "cluster2", "get", "mutatingwebhookconfigurations", "-l", "app=sidecar-injector,istio.io/rev="+revision,
		"-o", `jsonpath={range .items[*].webhooks[*]}{.clientConfig.url}{"\n"}{end}`)
	called := strings.Fields(urls)
	if len(called) == 0 {
		t.Errorf("revision %s has no webhook in cluster2", revision)
	}
	for _, url := range called {
		if url != want {
			t.Errorf("a webhook of revision %s calls %q, want %s", revision, url, want)
		}
	}
}

// callService has the webhooks of cluster2 call the Service istiod, which is an ExternalName, as Istio's guide and earlier
// releases have them do; manager is who did so.
func callService(t *testing.T, lab *labtest.Lab, manager string) {
	t.Helper()
	for configuration := range strings.FieldsSeq(lab.Kubectl(t, "cluster2", "get", "mutatingwebhookconfigurations", "-l", "app=sidecar-injector", "-o", "name")) {
		var patch []string
		for i := range strings.Fields(lab.Kubectl(t, "cluster2", "get", configuration, "-o", "jsonpath={.webhooks[*].name}")) {
			patch = append(patch, fmt.Sprintf(`{"op":"remove","path":"/webhooks/%d/clientConfig/url"},{"op":"add","path":"/webhooks/%d/clientConfig/service","value":`+
				`{"name":"istiod","namespace":"istio-system","path":"/inject/cluster/cluster2/net/network1","port":443}}`, i, i))
		}
		lab.Kubectl(t, "cluster2", "patch", configuration, "--type=json", "--field-manager", manager, "-p", "["+strings.Join(patch, ",")+"]")
	}
}

// callsEachOther fails unless pods of all clusters reach each other, and all else is in order.
func callsEachOther(t *testing.T, lab *labtest.Lab, more ...string) {
	t.Helper()
	r := lab.Mesh(t, append([]string{"verify", "--context", "cluster1", "--traffic", "--probe-image", labtest.ProbeImage}, more...)...)
	if r.Code != 0 {
		t.Errorf("verify --traffic: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// A load balancer that gives a hostname: API servers call a URL with it, and each revision has a port of its own there. A
// remote that was attached by an earlier release goes on to work, and becomes one like the others when it is attached again.
func TestHostname(t *testing.T) {
	lab := clusters(t, 2, 0)
	hostnames(t, lab, "hostname")
	primary(t, lab)
	lab.MustMesh(t, "attach-remote", "cluster2", "--context", "cluster1")
	calls(t, lab, "default", 15017)
	mustContain(t, lab.Kubectl(t, "cluster2", "-n", "istio-system", "get", "service", "istiod"), "ExternalName", hostname)

	lab.Kubectl(t, "cluster1", "-n", "istio-system", "patch", "service", "istio-eastwestgateway", "--type=json", "--field-manager=kubectl-mesh",
		"-p", `[{"op":"add","path":"/spec/ports/-","value":{"name":"tls-webhook-443","port":443,"targetPort":15017,"protocol":"TCP"}}]`)
	callService(t, lab, "kubectl-mesh")
	// The port stays, since the remote may need it.
	lab.MustMesh(t, "expose-istiod", "--context", "cluster1", "-f", lab.Overlay)
	r := lab.Mesh(t, "verify", "--context", "cluster1")
	if r.Code != 0 {
		t.Errorf("where it works, verify ends with exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	mustContain(t, r.Stdout, "webhook-address", "attach-remote cluster2")
	again := []string{"attach-remote", "cluster2", "--context", "cluster1"}
	before := versions(t, lab, "cluster1", "cluster2")
	mustContain(t, lab.MustMesh(t, append(again, "--show-diff")...).Stdout, "+    url: https://"+hostname+":15017/inject/cluster/cluster2/net/network1\n", "-    service:\n")
	mustBeUnwritten(t, before, versions(t, lab, "cluster1", "cluster2"))
	lab.MustMesh(t, again...)
	calls(t, lab, "default", 15017)
	healthy(t, lab, "cluster2")

	primary(t, lab, "--revision", "canary")
	lab.MustMesh(t, append(again, "--revision", "canary")...)
	calls(t, lab, "default", 15017)
	calls(t, lab, "canary", 15101)
	callsEachOther(t, lab, "--revision", "canary")
	healthy(t, lab, "cluster2")
}

// An API server that calls webhooks at the endpoints of their Services, as on EKS and k3s, takes the URL as well, and refuses
// what Istio's guide has it do. Of several hostnames remotes are given the first, and istiod's certificate is for all.
func TestHostnamesWithAggregatorRouting(t *testing.T) {
	lab := labtest.Use(t, labtest.Options{Clusters: 2, AggregatorRouting: []string{"cluster2"}})
	hostnames(t, lab, "hostnames")
	primary(t, lab)
	has := func() string {
		return lab.Kubectl(t, "cluster1", "-n", "istio-system", "get", "deployment", "istiod", "-o",
			`jsonpath={.spec.template.spec.containers[*].env[?(@.name=="ISTIOD_CUSTOM_HOST")].value}`)
	}
	if want := hostname + ",second." + hostname; has() != want {
		t.Errorf("istiod's hosts are %q, want %q", has(), want)
	}
	if ports := lab.Kubectl(t, "cluster1", "-n", "istio-system", "get", "service", "istio-eastwestgateway", "-o", "jsonpath={.spec.ports[*].port}"); slices.Contains(strings.Fields(ports), "443") {
		t.Errorf("the gateway has a port 443, which nobody calls: %s", ports)
	}
	// Run again without a word of the hosts, install-primary leaves them.
	mustContain(t, lab.MustMesh(t, "install-primary", "--context", "cluster1", "--network", "network1", "-f", lab.Overlay).Stdout, "nothing was written")

	lab.MustMesh(t, "attach-remote", "cluster2", "--context", "cluster1")
	calls(t, lab, "default", 15017)
	callsEachOther(t, lab)

	callService(t, lab, "istio-operator")
	r := lab.Mesh(t, "verify", "--context", "cluster1", "-o", "json")
	// Nobody calls the gateway: this machine does not know its name.
	if got := results(t, r, "fail", "unknown"); r.Code != 1 || !slices.Equal(got, []string{"fail cluster2 webhook-address", "unknown cluster1 firewall"}) {
		t.Errorf("exit code %d, failed are %q", r.Code, got)
	}
	mustContain(t, r.Stdout, "unsupported service type")
	runFix(t, lab, r, "webhook-address")
	calls(t, lab, "default", 15017)
	healthy(t, lab, "cluster2")
}

// A load balancer that never gives an address: the wait ends, says why, and --address is the way out.
func TestNoAddress(t *testing.T) {
	lab := clusters(t, 1, 1)
	lab.Lab(t, "lb", "cluster1", "none")
	t.Cleanup(func() { lab.Lab(t, "lb", "cluster1", "ip") })
	lab.MustMesh(t, "install-primary", "--context", "cluster1", "--network", "network1", "-f", lab.Overlay)
	r := lab.Mesh(t, "expose-istiod", "--context", "cluster1", "-f", lab.Overlay, "--timeout", "15s")
	if r.Code != 1 {
		t.Errorf("exit code %d, not 1", r.Code)
	}
	mustContain(t, r.Stderr, "--timeout 15s has passed", "no controller has said anything", "MetalLB", "--address")

	r = lab.Mesh(t, "attach-remote", "cluster2", "--context", "cluster1")
	if r.Code != 1 {
		t.Errorf("exit code %d, not 1", r.Code)
	}
	mustContain(t, r.Stderr, "address-pending", "Nothing was written")

	const natted = "192.0.2.7" // nobody is there: TEST-NET-1
	out := lab.MustMesh(t, "expose-istiod", "--context", "cluster1", "-f", lab.Overlay, "--address", natted, "--load-balancer-source-range", "10.0.0.0/8", "--gateway-annotation", "example.com/internal=true")
	mustContain(t, out.Stdout, "published at "+natted)
	// Run again without the flags, it stays as it was told.
	out = lab.MustMesh(t, "expose-istiod", "--context", "cluster1", "-f", lab.Overlay)
	mustContain(t, out.Stdout, natted, "nothing was written")
	service := lab.Kubectl(t, "cluster1", "-n", "istio-system", "get", "service", "istio-eastwestgateway", "-o", "yaml")
	mustContain(t, service, "10.0.0.0/8", "example.com/internal: \"true\"")
}
