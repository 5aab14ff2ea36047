package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// A remote secret that somebody edits while istiod reads its cluster makes Istio 1.29 stop processing remote secrets. An
// attach-remote that waits for the cluster restarts istiod then, or says that it takes a restart.
func TestSecretEditedWhileAttaching(t *testing.T) {
	lab := clusters(t, 1, 1)
	primary(t, lab)
	attach := []string{"attach-remote", "cluster2", "--context", "cluster1"}
	t.Run("as soon as it is there", func(t *testing.T) {
		command := lab.Command(t.Context(), os.Getenv("KUBECTL_MESH_BIN"), attach...)
		edited := editOnceThere(t, lab)
		r := labtest.Finish(t, command)
		if err := <-edited; err != nil {
			t.Fatal(err)
		}
		if r.Code != 0 {
			t.Fatalf("attach-remote: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
		healthy(t, lab, "cluster2")
	})
	t.Run("and two runs at once renew its token", func(t *testing.T) { twoRunsAtOnce(t, lab, attach) })
	t.Run("and another run was killed at it", func(t *testing.T) { afterAKilledRun(t, lab, attach) })
	// Where the edit meets a second run decides what istiod makes of it, and that run.
	for _, after := range []time.Duration{0, 400 * time.Millisecond, 800 * time.Millisecond, 1200 * time.Millisecond} {
		t.Run(fmt.Sprintf("%v after a second run has begun", after), func(t *testing.T) {
			var stderr strings.Builder
			command := lab.Command(t.Context(), os.Getenv("KUBECTL_MESH_BIN"), attach...)
			command.Stderr = &stderr
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			<-time.After(after)
			if err := <-editOnceThere(t, lab); err != nil {
				t.Fatal(err)
			}
			if err := command.Wait(); err != nil {
				t.Fatalf("attach-remote: %v\n%s", err, stderr.String())
			}
			t.Log(stderr.String())
			// The run may have ended before istiod saw the edit.
			if r := lab.Mesh(t, "verify", "--context", "cluster1"); r.Code != 0 {
				mustContain(t, r.Stdout, "not-synced")
				lab.MustMesh(t, attach...)
				healthy(t, lab, "cluster2")
			}
		})
	}
	t.Run("and istiod is to be kept running", func(t *testing.T) {
		if err := <-editOnceThere(t, lab); err != nil { // it stops for that, whenever it comes
			t.Fatal(err)
		}
		var last labtest.Result
		err := wait.PollUntilContextTimeout(t.Context(), time.Second, time.Minute, true, func(context.Context) (bool, error) {
			last = lab.Mesh(t, "verify", "--context", "cluster1", "--only", "not-synced") //nolint:contextcheck // it ends with the test
			return strings.Contains(last.Stdout, "closed"), nil
		})
		if err != nil {
			t.Fatalf("istiod still watches the cluster:\n%s%s", last.Stdout, last.Stderr)
		}
		r := lab.Mesh(t, append(attach, "--restart-istiod=false")...)
		if r.Code != 1 {
			t.Errorf("exit code %d, not 1\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
		mustContain(t, r.Stderr, "closed", "--restart-istiod=false", "kubectl --context cluster1 -n istio-system rollout restart deployment istiod")
		r = lab.MustMesh(t, attach...)
		mustContain(t, r.Stderr, "Restart istiod")
		healthy(t, lab, "cluster2")
		// The command has waited for an istiod that leads there, so that new namespaces get their root certificate.
		lock := lab.Kubectl(t, "cluster2", "-n", "istio-system", "get", "configmap", "istio-namespace-controller-election", "-o", "yaml")
		pods := strings.Fields(lab.Kubectl(t, "cluster1", "-n", "istio-system", "get", "pods", "-l", "app=istiod", "-o", "jsonpath={.items[*].metadata.name}"))
		if !slices.ContainsFunc(pods, func(pod string) bool { return strings.Contains(lock, pod) }) {
			t.Errorf("none of %v leads in cluster2:\n%s", pods, lock)
		}
	})
}

// renewToken has cluster2's credentials to be made again.
func renewToken(t *testing.T, lab *labtest.Lab) {
	t.Helper()
	lab.Kubectl(t, "cluster2", "-n", "istio-system", "delete", "secret", "istio-reader-service-account-istio-remote-secret-token")
}

// leases are those of the plugin's in the primary.
func leases(t *testing.T, lab *labtest.Lab) string {
	t.Helper()
	all := lab.Kubectl(t, "cluster1", "-n", "istio-system", "get", "leases", "-o", "name")
	return strings.Join(slices.DeleteFunc(strings.Fields(all), func(name string) bool { return !strings.Contains(name, "kubectl-mesh") }), " ")
}

// Of two runs that both have the same credentials to replace none undoes what the other has done.
func twoRunsAtOnce(t *testing.T, lab *labtest.Lab, attach []string) {
	t.Helper()
	renewToken(t, lab)
	var runs sync.WaitGroup
	for i := range 2 {
		command := lab.Command(t.Context(), os.Getenv("KUBECTL_MESH_BIN"), append(slices.Clone(attach), "-v")...)
		runs.Go(func() {
			if said, err := command.CombinedOutput(); err != nil {
				t.Errorf("run %d: %v\n%s", i, err, said)
			}
		})
	}
	runs.Wait()
	healthy(t, lab, "cluster2")
	if left := leases(t, lab); left != "" {
		t.Errorf("left is %s", left)
	}
}

// A run that ended without giving its lease back is named, and waited for as long as its lease says.
func afterAKilledRun(t *testing.T, lab *labtest.Lab, attach []string) {
	t.Helper()
	client, err := kubernetes.NewForConfig(configOf(t, lab, "cluster1"))
	if err != nil {
		t.Fatal(err)
	}
	holder, seconds, now := "alice@laptop/1", int32(2), metav1.NowMicro()
	_, err = client.CoordinationV1().Leases("istio-system").Create(t.Context(), &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: "kubectl-mesh-remote-cluster2"},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, AcquireTime: &now, RenewTime: &now},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	renewToken(t, lab)
	lab.MustMesh(t, append(slices.Clone(attach), "--dry-run=server")...)
	if left := leases(t, lab); left == "" {
		t.Error("a dry run has taken the lease")
	}
	r := lab.MustMesh(t, append(slices.Clone(attach), "-v")...)
	mustContain(t, r.Stderr, "waiting for the run of alice@laptop/1, which began at "+now.Local().Format(time.TimeOnly), "1 deleted, after waiting for alice@laptop/1")
	healthy(t, lab, "cluster2")
	if left := leases(t, lab); left != "" {
		t.Errorf("left is %s", left)
	}
}

// editOnceThere puts a blank line into the kubeconfig in cluster2's remote secret, which then says the same, as soon as the
// secret is there.
func editOnceThere(t *testing.T, lab *labtest.Lab) <-chan error {
	t.Helper()
	client, err := kubernetes.NewForConfig(configOf(t, lab, "cluster1"))
	if err != nil {
		t.Fatal(err)
	}
	secrets := client.CoreV1().Secrets("istio-system")
	watch, err := secrets.Watch(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=istio-remote-secret-cluster2"})
	if err != nil {
		t.Fatal(err)
	}
	edited := make(chan error, 1)
	go func() {
		defer watch.Stop()
		event := <-watch.ResultChan()
		secret, is := event.Object.(*corev1.Secret)
		if !is {
			edited <- context.Cause(t.Context())
			return
		}
		patch, err := json.Marshal(map[string]map[string][]byte{"data": {"cluster2": append(bytes.Clone(secret.Data["cluster2"]), '\n')}})
		if err == nil {
			_, err = secrets.Patch(t.Context(), secret.Name, types.MergePatchType, patch, metav1.PatchOptions{})
		}
		edited <- err
	}()
	return edited
}
