package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// refusal is a command that must not do anything.
type refusal struct {
	name string
	args []string
	code int
	says []string
}

// refused runs each command and fails unless it says what is expected and leaves everything as it was.
func refused(t *testing.T, lab *labtest.Lab, cases []refusal) {
	t.Helper()
	var all []string
	for _, cluster := range lab.Clusters {
		all = append(all, cluster.Name)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			before := versions(t, lab, all...)
			r := lab.Mesh(t, c.args...)
			if r.Code != c.code {
				t.Errorf("exit code %d, not %d", r.Code, c.code)
			}
			mustContain(t, r.Stderr, append(c.says, "error: ")...)
			if r.Stdout != "" {
				t.Errorf("on stdout: %s", r.Stdout)
			}
			mustBeUnwritten(t, before, versions(t, lab, all...))
		})
	}
}

// copyKubeconfig gives the test a kubeconfig to change.
func copyKubeconfig(t *testing.T, lab *labtest.Lab) string {
	t.Helper()
	raw, err := os.ReadFile(lab.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Before there is a primary.
func TestRefusedWithoutPrimary(t *testing.T) {
	lab := clusters(t, 1, 1)
	install := func(more ...string) []string {
		return append([]string{"install-primary", "--context", "cluster1", "-f", lab.Overlay}, more...)
	}
	unauthorized := copyKubeconfig(t, lab)
	lab.Kubectl(t, "cluster1", "config", "--kubeconfig", unauthorized, "set-credentials", "wrong", "--token", "wrong")
	lab.Kubectl(t, "cluster1", "config", "--kubeconfig", unauthorized, "set-context", "wrong", "--cluster", "cluster1", "--user", "wrong")
	unset := copyKubeconfig(t, lab)
	lab.Kubectl(t, "cluster1", "config", "--kubeconfig", unset, "unset", "current-context")
	partial := copyKubeconfig(t, lab)
	lab.Kubectl(t, "cluster1", "config", "--kubeconfig", partial, "set-context", "clusterless", "--cluster", "gone", "--user", "cluster1-admin")
	lab.Kubectl(t, "cluster1", "config", "--kubeconfig", partial, "set-context", "userless", "--cluster", "cluster1", "--user", "nobody")
	lab.Kubectl(t, "cluster1", "config", "--kubeconfig", partial, "set-context", "___", "--cluster", "cluster1", "--user", "cluster1-admin")
	if r := lab.MustMesh(t, "preflight", "--context", "___", "--kubeconfig", partial, "-o", "json"); !strings.Contains(r.Stdout, `"cluster": "primary"`) {
		t.Errorf("a context that makes no name is looked at as\n%s", r.Stdout)
	}
	refused(t, lab, []refusal{
		{"a context without a cluster", []string{"install-primary", "--context", "clusterless", "--kubeconfig", partial}, 2, []string{`context "clusterless"`, `cluster "gone"`}},
		{"a remote's context without a cluster", []string{"attach-remote", "clusterless", "--context", "cluster1", "--kubeconfig", partial}, 2, []string{`context "clusterless"`, `cluster "gone"`}},
		{"a context without a user", []string{"verify", "--context", "userless", "--kubeconfig", partial}, 2, []string{`context "userless"`, `user "nobody"`}},
		{"a context that makes no name", []string{"install-primary", "--context", "___", "--kubeconfig", partial}, 2, []string{`context "___"`, "--cluster-name"}},
		{"unknown context", []string{"install-primary", "--context", "nowhere"}, 2, []string{`no context "nowhere"`, "cluster1, cluster2"}},
		{"no context", []string{"install-primary", "--kubeconfig", unset}, 2, []string{"--context", "no current one"}},
		{"invalid name", install("--cluster-name", "Not_A_Name"), 2, []string{`"Not_A_Name"`, "lower case"}},
		{"default name", install("--cluster-name", "Kubernetes"), 2, []string{"choose another"}},
		{"invalid network", install("--network", "a b"), 2, []string{`network "a b"`}},
		{"invalid revision", install("--revision", "1.29"), 2, []string{`revision "1.29"`}},
		{"unknown value", install("--set", "values.pilot.nonsense=1"), 2, []string{"nonsense"}},
		{"unknown mesh configuration", install("--set", "meshConfig.trustDomian=x"), 2, []string{`meshConfig: unknown field "trustDomian"`}},
		{"unknown profile", install("--profile", "minimum"), 2, []string{`profile "minimum"`, "minimal"}},
		{"a hub that is a URL", install("--hub", "http://x"), 2, []string{`hub "http://x"`}},
		{"invalid mesh id", install("--mesh-id", "a b"), 2, []string{`mesh id "a b"`}},
		{"invalid namespace", install("-n", "Bad_NS"), 2, []string{`namespace "Bad_NS"`}},
		{"an argument", []string{"install-primary", "cluster1"}, 2, []string{"--context cluster1"}},
		{"a local address", []string{"expose-istiod", "--context", "cluster1", "--address", "127.0.0.1"}, 2, []string{`--address "127.0.0.1"`}},
		{"overlay missing", install("-f", "/nonexistent.yaml"), 2, []string{"/nonexistent.yaml"}},
		{"manifests missing", install("--manifests", "/nonexistent"), 2, []string{"--manifests /nonexistent"}},
		{"forbidden", install("--as", "nobody"), 1, []string{"cluster1", "permission", "you may not create or patch in the whole cluster: namespaces/istio-system"}},
		{"unauthorized", install("--context", "wrong", "--kubeconfig", unauthorized), 1, []string{"reachable", "Unauthorized"}},
		{"unreachable", install("--server", "https://192.0.2.1:6443", "--request-timeout", "1s"), 1, []string{"reachable", "192.0.2.1"}},
		{"no istiod to publish", []string{"expose-istiod", "--context", "cluster1"}, 1, []string{"no istiod", "kubectl mesh install-primary --context cluster1"}},
		{"no istiod to attach to", []string{"attach-remote", "cluster2", "--context", "cluster1"}, 1, []string{"no istiod", "install-primary"}},
		{"no remote", []string{"attach-remote", "--context", "cluster1"}, 2, []string{"--help", "attach-remote cluster1 --context PRIMARY"}},
	})
	t.Run("output that cannot be written", func(t *testing.T) {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer full.Close()
		command := lab.Command(t.Context(), os.Getenv("KUBECTL_MESH_BIN"), "version")
		command.Stdout = full
		if err := command.Run(); err == nil || command.ProcessState.ExitCode() != 1 {
			t.Errorf("it ended with %v", err)
		}
	})
}

// With a primary, of remotes that can't be.
func TestRefusedRemotes(t *testing.T) {
	lab := clusters(t, 1, 3)
	primary(t, lab)
	attach := func(more ...string) []string {
		return append([]string{"attach-remote", "--context", "cluster1"}, more...)
	}
	twin := copyKubeconfig(t, lab)
	lab.Kubectl(t, "cluster1", "config", "--kubeconfig", twin, "set-context", "twin", "--cluster", "cluster1", "--user", "cluster1-admin")

	lab.MustMesh(t, attach("taken=cluster3")...)
	lab.Kubectl(t, "cluster4", "create", "namespace", "istio-system")
	refused(t, lab, []refusal{
		{"the primary itself", attach("cluster1"), 2, []string{"is the primary itself"}},
		{"the primary by another context", attach("twin", "--kubeconfig", twin), 1, []string{"same cluster", "kube-system"}},
		{"a cluster twice", attach("a=cluster2", "b=cluster2"), 1, []string{"same cluster"}},
		{"a name twice", attach("a=cluster2", "a=cluster4"), 2, []string{"NAME=CONTEXT"}},
		{"the primary's name", attach("cluster1=cluster2"), 2, []string{"the primary's own", "NAME=CONTEXT"}},
		{"another cluster's name", attach("taken=cluster4"), 1, []string{`"taken"`, "istio-remote-secret-taken"}},
		{"attached under another name", attach("other=cluster3"), 1, []string{`already attached as "taken"`, "taken=cluster3"}},
		{"settings of the primary's", attach("cluster2", "-f", lab.Overlay), 2, []string{"in a remote these settings do nothing", "values.global.proxy.resources", "values.telemetry.enabled"}},
		{"an invalid name", attach("No_Name=cluster2"), 2, []string{`"No_Name"`}},
		{"a network of its own", attach("cluster2", "--network", "network2"), 1, []string{"network-unconnected", `there is no gateway of "network2"`, "--allow-unconnected-network"}},
		{"a local API server", attach("cluster2", "--remote-server", "https://127.0.0.1:6443"), 1, []string{"secret-localhost", "--remote-server"}},
		{"no address", attach("cluster2", "--remote-server", "127.0.0.1"), 2, []string{"--remote-server"}},
		{"one of several unreachable", attach("cluster2", "nowhere"), 2, []string{`no context "nowhere"`}},
		{"forbidden", attach("cluster2", "--as", "nobody"), 1, []string{"permission"}},
	})
	lab.Kubectl(t, "cluster4", "annotate", "namespace", "istio-system", "topology.istio.io/controlPlaneClusters=elsewhere")
	refused(t, lab, []refusal{
		{"another primary's", attach("cluster4"), 1, []string{"other-primary", `"elsewhere"`, "only if that primary is gone"}},
	})
	lab.Kubectl(t, "cluster4", "annotate", "namespace", "istio-system", "topology.istio.io/controlPlaneClusters-")
	// No pod of it ever runs, for want of a node; it is there all the same.
	lab.Kubectl(t, "cluster4", "-n", "istio-system", "create", "deployment", "istiod", "--image", "docker.io/istio/pilot:1.29.1")
	lab.Kubectl(t, "cluster4", "-n", "istio-system", "label", "deployment", "istiod", "istio.io/rev=default", "app=istiod", "--overwrite")
	refused(t, lab, []refusal{
		{"one with a control plane", attach("cluster4"), 1, []string{"own-control-plane", "Deployment istiod"}},
	})
	lab.Lab(t, "pause", "cluster4", "kube-apiserver")
	r := lab.Mesh(t, attach("cluster2", "cluster4", "--request-timeout", "10s")...)
	lab.Lab(t, "resume", "cluster4", "kube-apiserver")
	if r.Code != 1 {
		t.Errorf("exit code %d, not 1", r.Code)
	}
	mustContain(t, r.Stderr, "cluster4", "reachable", "Nothing was written")
}

// Primaries that another tool installed.
func TestForeignPrimary(t *testing.T) {
	lab := clusters(t, 1, 1)
	istioctl := func(t *testing.T, more ...string) {
		t.Helper()
		r := lab.Run(t, "istioctl", append([]string{"install", "-y", "--context", "cluster1", "-f", lab.Overlay, "--set", "profile=minimal"}, more...)...)
		if r.Code != 0 {
			t.Fatalf("istioctl install: %s%s", r.Stdout, r.Stderr)
		}
	}
	istioctl(t)
	refused(t, lab, []refusal{
		{
			"not fit to be one",
			[]string{"install-primary", "--context", "cluster1", "--cluster-name", "cluster1"},
			1,
			[]string{"istioctl", "pilot.env.EXTERNAL_ISTIOD=true", "global.multiCluster.clusterName=cluster1", "istioctl --context cluster1 install"},
		},
		{"not fit to be published", []string{"expose-istiod", "--context", "cluster1"}, 1, []string{"EXTERNAL_ISTIOD"}},
		{"not fit to attach to", []string{"attach-remote", "cluster2", "--context", "cluster1"}, 1, []string{"EXTERNAL_ISTIOD", "Kubernetes"}},
	})
	istioctl(t, "--set", "values.pilot.env.EXTERNAL_ISTIOD=true", "--set", "values.global.multiCluster.clusterName=east",
		"--set", "values.global.meshID=shop", "--set", "values.global.network=network1")
	before := versions(t, lab, "cluster1")
	out := lab.MustMesh(t, "install-primary", "--context", "cluster1")
	mustContain(t, out.Stdout, "can be a primary", "left as it is")
	mustBeUnwritten(t, before, versions(t, lab, "cluster1"))

	// istioctl labels the namespace only when it makes it.
	lab.MustMesh(t, "expose-istiod", "--context", "cluster1", "-f", lab.Overlay)
	mustContain(t, lab.Kubectl(t, "cluster1", "get", "namespace", "istio-system", "-o", "yaml"), "topology.istio.io/network: network1")
	lab.MustMesh(t, "attach-remote", "west=cluster2", "--context", "cluster1")
	mustContain(t, lab.Kubectl(t, "cluster2", "get", "namespace", "istio-system", "-o", "yaml"), "controlPlaneClusters: east")
	healthy(t, lab, "east", "west")
}

// A primary of a release whose remotes these charts can't make.
func TestVersionSkew(t *testing.T) {
	lab := clusters(t, 1, 1)
	primary(t, lab)
	lab.Kubectl(t, "cluster1", "-n", "istio-system", "set", "image", "deployment/istiod", "discovery=docker.io/istio/pilot:1.27.3")
	refused(t, lab, []refusal{
		{"older", []string{"attach-remote", "cluster2", "--context", "cluster1"}, 1, []string{"version-skew", "1.27.3", "--manifests"}},
	})
}
