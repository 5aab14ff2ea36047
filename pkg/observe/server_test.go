package observe_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

// read looks at cluster1 as a user; empty is the administrator. timeout is for each request.
func read(t *testing.T, lab *labtest.Lab, as, timeout string) *snapshot.Cluster {
	t.Helper()
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig = &lab.Kubeconfig
	if as != "" {
		flags.Impersonate = &as
	}
	flags.Timeout = &timeout
	c, err := cluster.Connect(flags, "cluster1", "cluster1", true)
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := observe.Read(t.Context(), cluster.Set{"cluster1": c}, observe.Options{
		Namespace:   "istio-system",
		Permissions: map[string][]snapshot.Permission{"cluster1": {{Verb: "create", Resource: "secrets", Namespace: "istio-system"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return snapshot.Clusters["cluster1"]
}

const token = "a-token-that-nobody-may-see"

func TestReadOnServer(t *testing.T) {
	lab := labtest.Use(t, labtest.Options{Clusters: 1})
	for _, c := range []struct {
		name string
		test func(*testing.T, *labtest.Lab)
	}{
		{"what is there", readWhatIsThere},
		{"forbidden", readForbidden},
		{"hanging", readHanging},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, lab) })
	}
}

func readWhatIsThere(t *testing.T, lab *labtest.Lab) {
	t.Helper()
	bare := read(t, lab, "", "1m")
	if bare.UID == "" || bare.KubernetesVersion == "" || bare.CA == "" || len(bare.Unreadable) > 0 {
		t.Errorf("a bare cluster: %+v", bare)
	}
	if bare.Namespace != nil || bare.RemoteSecrets != nil || bare.ControlPlanes != nil {
		t.Errorf("a bare cluster has something of Istio: %+v", bare)
	}

	lab.Kubectl(t, "cluster1", "create", "namespace", "istio-system")
	lab.Kubectl(t, "cluster1", "label", "namespace", "istio-system", "topology.istio.io/network=here")
	lab.Kubectl(t, "cluster1", "annotate", "namespace", "istio-system", "topology.istio.io/controlPlaneClusters=east")
	kubeconfig := strings.ReplaceAll(`apiVersion: v1
kind: Config
clusters: [{name: west, cluster: {server: "https://west.example:6443"}}]
users: [{name: west, user: {token: TOKEN}}]
contexts: [{name: west, context: {cluster: west, user: west}}]
current-context: west
`, "TOKEN", token)
	lab.Kubectl(t, "cluster1", "-n", "istio-system", "create", "secret", "generic", "istio-remote-secret-west", "--from-literal", "west="+kubeconfig)
	lab.Kubectl(t, "cluster1", "-n", "istio-system", "label", "secret", "istio-remote-secret-west", "istio/multiCluster=true")

	seen := read(t, lab, "", "1m")
	if seen.Namespace == nil || seen.Namespace.Network != "here" || seen.Namespace.ControlPlaneClusters != "east" {
		t.Errorf("the namespace: %+v", seen.Namespace)
	}
	if len(seen.RemoteSecrets) != 1 || seen.RemoteSecrets[0].Cluster != "west" || seen.RemoteSecrets[0].Server != "https://west.example:6443" {
		t.Errorf("the remote secrets: %+v", seen.RemoteSecrets)
	}
	written, err := json.Marshal(seen)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(written), token) {
		t.Error("a token is in the snapshot")
	}
}

// What may not be read is noted as such, and is not taken for absent.
func readForbidden(t *testing.T, lab *labtest.Lab) {
	t.Helper()
	seen := read(t, lab, "nobody", "1m")
	for _, what := range []string{snapshot.RemoteSecretsPart, snapshot.ControlPlanes} {
		if reason, could := seen.CouldNotRead(what); !could || !strings.Contains(reason, "forbidden") {
			t.Errorf("%s: %q; unreadable: %+v", what, reason, seen.Unreadable)
		}
	}
	if !slices.ContainsFunc(seen.Denied, func(p snapshot.Permission) bool { return p.Resource == "secrets" }) {
		t.Errorf("a permission that the user lacks is not noted: %+v", seen.Denied)
	}
}

// An API server that hangs costs its timeout once: nothing else is tried.
func readHanging(t *testing.T, lab *labtest.Lab) {
	t.Helper()
	lab.Lab(t, "pause", "cluster1", "kube-apiserver")
	defer lab.Lab(t, "resume", "cluster1", "kube-apiserver")
	seen := read(t, lab, "", "2s")
	if _, could := seen.CouldNotRead(snapshot.APIServer); !could || len(seen.Unreadable) != 1 {
		t.Errorf("unreadable: %+v", seen.Unreadable)
	}
}
