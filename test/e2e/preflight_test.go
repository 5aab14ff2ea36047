package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// obstacle is one thing that stands in the way of a mesh.
type obstacle struct {
	name string
	// put makes it, and leaves no trace when the test ends.
	put func(t *testing.T)
	// args are those of preflight, beside --context cluster1.
	args []string
	// tells are the results that neither passed nor were skipped, as `status cluster id`.
	tells []string
}

// play puts up each obstacle alone. Preflight must tell of it and of nothing else, and write nothing.
func play(t *testing.T, lab *labtest.Lab, obstacles []obstacle) {
	t.Helper()
	for _, o := range obstacles {
		t.Run(o.name, func(t *testing.T) {
			if o.put != nil {
				o.put(t)
			}
			written := []string{"cluster1", "cluster2", "cluster3", "cluster4"}
			if slices.Contains(o.tells, "unknown cluster4 reachable") {
				written = written[:3]
			}
			before := versions(t, lab, written...)
			r := lab.Mesh(t, append([]string{"preflight", "--context", "cluster1", "-o", "json"}, o.args...)...)
			if got := told(t, r); !slices.Equal(got, o.tells) {
				t.Errorf("it tells\n%q, want\n%q\n%s", got, o.tells, r.Stdout)
			}
			code := 0
			if slices.ContainsFunc(o.tells, func(tell string) bool { return strings.HasPrefix(tell, "fail ") }) {
				code = 1
			} else if slices.ContainsFunc(o.tells, func(tell string) bool { return strings.HasPrefix(tell, "unknown ") }) {
				code = 3
			}
			if r.Code != code {
				t.Errorf("exit code %d, want %d\n%s", r.Code, code, r.Stderr)
			}
			mustBeUnwritten(t, before, versions(t, lab, written...))
		})
	}
}

// told are the results that neither passed nor were skipped.
func told(t *testing.T, r labtest.Result) []string {
	t.Helper()
	return results(t, r, "warn", "unknown", "fail")
}

// results are those of some statuses, in the order in which they were judged.
func results(t *testing.T, r labtest.Result, statuses ...string) []string {
	t.Helper()
	var verdict struct {
		Results []struct{ ID, Cluster, Status string }
	}
	if err := json.Unmarshal([]byte(r.Stdout), &verdict); err != nil {
		t.Fatalf("%v: %s%s", err, r.Stdout, r.Stderr)
	}
	var tells []string
	for _, result := range verdict.Results {
		if slices.Contains(statuses, result.Status) {
			tells = append(tells, result.Status+" "+result.Cluster+" "+result.ID)
		}
	}
	return tells
}

// undone runs kubectl on a cluster now, and again with other arguments when the test ends.
func undone(lab *labtest.Lab, cluster string, do, undo []string) func(t *testing.T) {
	return func(t *testing.T) {
		t.Helper()
		lab.Kubectl(t, cluster, do...)
		t.Cleanup(func() { lab.Kubectl(t, cluster, undo...) })
	}
}

// manifest applies objects to a cluster until the test ends.
func manifest(lab *labtest.Lab, cluster, text string) func(t *testing.T) {
	return func(t *testing.T) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "objects.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		undone(lab, cluster, []string{"apply", "-f", file}, []string{"delete", "--ignore-not-found", "-f", file})(t)
	}
}

const (
	// overlappingNode is a node whose pods would have the addresses of another cluster's.
	overlappingNode = `apiVersion: v1
kind: Node
metadata: {name: stray}
spec: {podCIDR: RANGE, podCIDRs: [RANGE]}
`
	// onlooker may look at everything and write nothing.
	onlooker = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: onlooker}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: onlooker}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: onlooker}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: onlooker}]
`
	restrictedShop = `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled, pod-security.kubernetes.io/enforce: baseline}}
`
	istioNamespace = `apiVersion: v1
kind: Namespace
metadata: {name: istio-system, annotations: {topology.istio.io/controlPlaneClusters: OWNER}}
`
	// otherRoot is what another mesh has left.
	otherRoot = `apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio-ca-root-cert, namespace: istio-system}
data: {root-cert.pem: "another mesh's"}
`
	// ownIstiod runs nowhere, for want of a node; it is there all the same.
	ownIstiod = `apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod, namespace: istio-system, labels: {app: istiod, istio.io/rev: default}}
spec:
  selector: {matchLabels: {app: istiod}}
  template:
    metadata: {labels: {app: istiod}}
    spec: {containers: [{name: discovery, image: "docker.io/istio/pilot:1.29.1"}]}
`
	// held can't go while the finalizer is there, and with it its namespace.
	held = `apiVersion: v1
kind: ConfigMap
metadata: {name: held, namespace: istio-system, finalizers: [example.com/held]}
`
)

// What stands in the way of bare clusters is named before anything is written, and nothing is.
func TestPreflight(t *testing.T) {
	lab := clusters(t, 2, 2)
	contexts := copyKubeconfig(t, lab)
	twin := func(name, of string) {
		lab.Kubectl(t, of, "config", "--kubeconfig", contexts, "set-context", name, "--cluster", of, "--user", of+"-admin")
	}
	twin("twin", "cluster1")
	twin("twin3", "cluster3")
	addProxy(t, contexts, "old", "cluster3", lie{version: "v1.29.14"})
	addProxy(t, contexts, "early", "cluster3", lie{ahead: 2 * time.Minute})
	addProxy(t, contexts, "late", "cluster3", lie{ahead: -2 * time.Minute})
	addProxy(t, contexts, "local", "cluster3", lie{})
	server := lab.Clusters[2].Server

	out := lab.MustMesh(t, "preflight", "cluster2", "cluster3", "cluster4", "--context", "cluster1").Stdout
	mustContain(t, out, "load-balancer", "MetalLB", "cluster4: ")
	address := func(t *testing.T) {
		t.Helper()
		lab.Kubectl(t, "cluster1", "wait", "service/front", "--for=jsonpath={.status.loadBalancer.ingress}", "--timeout=5m")
	}
	lab.Kubectl(t, "cluster1", "create", "service", "loadbalancer", "front", "--tcp=80")
	address(t)
	podRange := lab.Kubectl(t, "cluster1", "get", "nodes", "-o", "jsonpath={.items[0].spec.podCIDR}")

	withKubeconfig := func(args ...string) []string { return append(args, "--kubeconfig", contexts) }
	play(t, lab, []obstacle{
		{"none", nil, []string{"cluster2", "cluster3", "cluster4"}, nil},
		{"Kubernetes is too old", nil, withKubeconfig("cluster2", "old", "--remote-server", "old="+server), []string{"fail old kubernetes-version"}},
		{"a clock that is early", nil, withKubeconfig("cluster2", "early", "--remote-server", "early="+server), []string{"fail early clock-skew"}},
		{"a clock that is late", nil, withKubeconfig("late", "--remote-server", server), []string{"fail late clock-skew"}},
		{"a local API server", nil, withKubeconfig("cluster2", "local"), []string{"fail local secret-localhost"}},
		{"the primary by another context", nil, withKubeconfig("cluster2", "twin"), []string{"fail twin same-cluster"}},
		{"a remote by two contexts", nil, withKubeconfig("cluster3", "twin3"), []string{"fail twin3 same-cluster"}},
		{
			"no permission to write",
			func(t *testing.T) {
				t.Helper()
				manifest(lab, "cluster1", onlooker)(t)
				manifest(lab, "cluster3", onlooker)(t)
			},
			[]string{"cluster3", "--as", "onlooker"},
			[]string{"fail cluster1 permission", "fail cluster3 permission"},
		},
		{
			"no load balancer",
			func(t *testing.T) {
				t.Helper()
				lab.Lab(t, "lb", "cluster1", "none")
				lab.Kubectl(t, "cluster1", "delete", "service", "front")
				lab.Kubectl(t, "cluster1", "create", "service", "loadbalancer", "front", "--tcp=80")
				t.Cleanup(func() {
					lab.Lab(t, "lb", "cluster1", "ip")
					address(t)
				})
			},
			[]string{"cluster2"},
			[]string{"fail cluster1 load-balancer"},
		},
		{
			"pod ranges that overlap",
			manifest(lab, "cluster4", strings.ReplaceAll(overlappingNode, "RANGE", podRange)),
			[]string{"cluster3", "cluster4"},
			[]string{"fail cluster4 network-overlap"},
		},
		{
			"pod security",
			undone(lab, "cluster4", []string{"label", "namespace", "default", "pod-security.kubernetes.io/enforce=baseline"},
				[]string{"label", "namespace", "default", "pod-security.kubernetes.io/enforce-"}),
			[]string{"cluster3", "cluster4"},
			[]string{"fail cluster4 pod-security"},
		},
		{
			"pod security of a namespace that asks for sidecars",
			manifest(lab, "cluster2", restrictedShop),
			[]string{"cluster2", "cluster3"},
			[]string{"fail cluster2 pod-security"},
		},
		{
			"a namespace that is being deleted",
			func(t *testing.T) {
				t.Helper()
				lab.Kubectl(t, "cluster3", "create", "namespace", "istio-system")
				manifest(lab, "cluster3", held)(t)
				lab.Kubectl(t, "cluster3", "delete", "namespace", "istio-system", "--wait=false")
				// The namespace controller has done what it can, and writes no more.
				lab.Kubectl(t, "cluster3", "wait", "namespace/istio-system", "--for=condition=NamespaceFinalizersRemaining", "--timeout=5m")
				t.Cleanup(func() {
					lab.Kubectl(t, "cluster3", "-n", "istio-system", "patch", "configmap", "held", "--type=json", `-p=[{"op":"remove","path":"/metadata/finalizers"}]`)
					lab.Kubectl(t, "cluster3", "wait", "--for=delete", "namespace/istio-system", "--timeout=5m")
				})
			},
			[]string{"cluster2", "cluster3"},
			[]string{"fail cluster3 namespace-terminating"},
		},
		{
			"no answer",
			func(t *testing.T) {
				t.Helper()
				lab.Lab(t, "pause", "cluster4", "kube-apiserver")
				t.Cleanup(func() { lab.Lab(t, "resume", "cluster4", "kube-apiserver") })
			},
			[]string{"cluster3", "cluster4", "--request-timeout", "10s"},
			[]string{"unknown cluster4 reachable"},
		},
		{"a control plane of its own", manifest(lab, "cluster4", ownIstiod), []string{"cluster3", "cluster4"}, []string{"fail cluster4 own-control-plane"}},
	})

	t.Run("no permission to look", func(t *testing.T) {
		r := lab.Mesh(t, "preflight", "cluster3", "--context", "cluster1", "--as", "nobody", "-o", "json")
		failed, passed := results(t, r, "fail"), results(t, r, "pass")
		if want := []string{"fail cluster1 permission", "fail cluster3 permission"}; r.Code != 1 || !slices.Equal(failed, want) {
			t.Errorf("exit code %d, failed are %q, want %q", r.Code, failed, want)
		}
		// What needs no permission, and nothing else.
		if want := []string{
			"pass cluster1 reachable", "pass cluster3 reachable", "pass cluster1 kubernetes-version", "pass cluster3 kubernetes-version",
			"pass cluster3 secret-localhost", "pass cluster3 secret-proxy", "pass cluster1 clock-skew", "pass cluster3 clock-skew",
		}; !slices.Equal(passed, want) {
			t.Errorf("passed are %q, want %q", passed, want)
		}
	})
}

// What stands in the way of joining a mesh that is there.
func TestPreflightOfRemotes(t *testing.T) {
	lab := clusters(t, 2, 2)
	primary(t, lab)
	lab.MustMesh(t, "attach-remote", "taken=cluster3", "--context", "cluster1")
	owned := func(owner string) func(t *testing.T) {
		return manifest(lab, "cluster4", strings.ReplaceAll(istioNamespace, "OWNER", owner))
	}
	play(t, lab, []obstacle{
		{"none", nil, []string{"cluster2", "taken=cluster3", "cluster4"}, nil},
		{"attached, and known again", nil, []string{"cluster2", "cluster3"}, nil},
		{"attached under another name", nil, []string{"cluster2", "other=cluster3"}, []string{"fail other name-duplicate"}},
		{"another cluster's name", nil, []string{"cluster2", "taken=cluster4"}, []string{"fail taken name-duplicate"}},
		{"another root", manifest(lab, "cluster4", otherRoot), []string{"cluster2", "cluster4"}, []string{"fail cluster4 roots-differ"}},
		{"another primary's", owned("elsewhere"), []string{"cluster2", "cluster4"}, []string{"fail cluster4 other-primary"}},
		{"ours already", owned("cluster1"), []string{"cluster2", "cluster4"}, nil},
		{"a control plane of its own", manifest(lab, "cluster4", ownIstiod), []string{"cluster2", "cluster4"}, []string{"fail cluster4 own-control-plane"}},
	})
}
