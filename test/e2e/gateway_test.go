package e2e

import (
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// A load balancer that gives a hostname, as AWS's do: the remote's API server calls its port 443.
func TestHostname(t *testing.T) {
	lab := clusters(t)
	lab.Lab(t, "lb", "cluster1", "hostname")
	t.Cleanup(func() { lab.Lab(t, "lb", "cluster1", "ip") })
	primary(t, lab)
	lab.MustMesh(t, "attach-remote", "cluster2", "--context", "cluster1")
	r := lab.Mesh(t, "verify", "--context", "cluster1", "--traffic", "--probe-image", labtest.ProbeImage)
	if r.Code != 0 {
		t.Errorf("verify --traffic: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	mustContain(t, lab.Kubectl(t, "cluster2", "-n", "istio-system", "get", "service", "istiod"), "ExternalName")
}

// A load balancer that never gives an address: the wait ends, says why, and --address is the way out.
func TestNoAddress(t *testing.T) {
	lab := clusters(t)
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
