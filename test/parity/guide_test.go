package parity

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

const primary, remote = "cluster1", "cluster2"

// followGuide builds the mesh as Istio's guide does, with the script that the benchmarks race against.
func followGuide(t *testing.T, lab *labtest.Lab, revision string) {
	t.Helper()
	for _, part := range [][]string{{"primary", primary}, {"remote", primary, remote}} {
		command := lab.Command(t.Context(), "/bin/bash", append([]string{"../bench/guide.sh"}, part...)...)
		command.Env = append(command.Env, "SAMPLES="+samples(t), "OVERLAY="+lab.Overlay, "REVISION="+revision)
		if r := labtest.Finish(t, command); r.Code != 0 {
			t.Fatalf("the guide's %s part: exit code %d\n%s", part[0], r.Code, r.Stderr)
		}
	}
}

// samples is the folder with the guide's own files, of the release that is built in.
func samples(t *testing.T) string {
	t.Helper()
	r := labtest.Finish(t, exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio"))
	if r.Code != 0 {
		t.Fatalf("where is Istio's module? %s", r.Stderr)
	}
	return filepath.Join(strings.TrimSpace(r.Stdout), "samples", "multicluster")
}

// useMesh builds it with kubectl-mesh.
func useMesh(t *testing.T, lab *labtest.Lab, revision string) {
	t.Helper()
	for _, command := range [][]string{
		{"install-primary", "--network", "network1"},
		{"expose-istiod"},
		{"attach-remote", remote},
	} {
		lab.MustMesh(t, withRevision(revision, append(append(command, "--context", primary), lab.Needs(command[0])...)...)...)
	}
}

// readSettled reads a cluster once istiod has written what it does a moment after the flow has ended, and two looks are
// the same.
func readSettled(t *testing.T, lab *labtest.Lab, cluster string) state {
	t.Helper()
	if cluster == primary {
		lab.Kubectl(t, cluster, "wait", "--for=jsonpath={.webhooks[0].failurePolicy}=Fail", "--timeout=5m", "validatingwebhookconfigurations", "--all")
	}
	for namespace := range strings.FieldsSeq(lab.Kubectl(t, cluster, "get", "namespaces", "-o", "jsonpath={.items[*].metadata.name}")) {
		if !strings.HasPrefix(namespace, "kube-") { // istiod leaves Kubernetes' own alone
			lab.Kubectl(t, cluster, "-n", namespace, "wait", "--for=create", "--timeout=5m", "configmap/istio-ca-root-cert")
		}
	}
	now := readState(t, lab, cluster)
	err := wait.PollUntilContextTimeout(t.Context(), time.Second, 5*time.Minute, true, func(context.Context) (bool, error) {
		before := now
		now = readState(t, lab, cluster) //nolint:contextcheck // it ends with the test
		return len(compare(cluster, before, now)) == 0, nil
	})
	if err != nil {
		t.Fatalf("%s does not come to rest: %v", cluster, err)
	}
	return now
}

// readState reads every object of a cluster that the flow could have made.
func readState(t *testing.T, lab *labtest.Lab, cluster string) state {
	t.Helper()
	kinds := strings.Fields(lab.Kubectl(t, cluster, "api-resources", "--verbs", "list", "-o", "name"))
	var list struct {
		Items []object `json:"items"`
	}
	out := lab.Kubectl(t, cluster, "get", "--all-namespaces", "-o", "json", strings.Join(kinds, ","))
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Fatalf("reading the objects of %s: %v", cluster, err)
	}
	address := lab.Kubectl(t, primary, "-n", "istio-system", "get", "service", "istio-eastwestgateway",
		"-o", "jsonpath={.status.loadBalancer.ingress[0].ip}")
	addresses := map[string]string{address: "ADDRESS"}
	for _, c := range lab.Clusters {
		addresses[c.Server] = "https://" + strings.ToUpper(c.Name)
	}
	objects := state{}
	for _, o := range list.Items {
		if ofTheFlow(o) {
			objects[name(o)] = normalise(o, addresses)
		}
	}
	return objects
}
