package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

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
	lab := clusters(t)
	primary(t, lab)
	attach := []string{"attach-remote", "cluster3", "--context", "cluster1"}
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
		healthy(t, lab, "cluster3")
	})
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
				healthy(t, lab, "cluster3")
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
		healthy(t, lab, "cluster3")
		// The command has waited for an istiod that leads there, so that new namespaces get their root certificate.
		lock := lab.Kubectl(t, "cluster3", "-n", "istio-system", "get", "configmap", "istio-namespace-controller-election", "-o", "yaml")
		pods := strings.Fields(lab.Kubectl(t, "cluster1", "-n", "istio-system", "get", "pods", "-l", "app=istiod", "-o", "jsonpath={.items[*].metadata.name}"))
		if !slices.ContainsFunc(pods, func(pod string) bool { return strings.Contains(lock, pod) }) {
			t.Errorf("none of %v leads in cluster3:\n%s", pods, lock)
		}
	})
}

// editOnceThere puts a blank line into the kubeconfig in cluster3's remote secret, which then says the same, as soon as the
// secret is there.
func editOnceThere(t *testing.T, lab *labtest.Lab) <-chan error {
	t.Helper()
	client, err := kubernetes.NewForConfig(configOf(t, lab, "cluster1"))
	if err != nil {
		t.Fatal(err)
	}
	secrets := client.CoreV1().Secrets("istio-system")
	watch, err := secrets.Watch(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=istio-remote-secret-cluster3"})
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
		patch, err := json.Marshal(map[string]map[string][]byte{"data": {"cluster3": append(bytes.Clone(secret.Data["cluster3"]), '\n')}})
		if err == nil {
			_, err = secrets.Patch(t.Context(), secret.Name, types.MergePatchType, patch, metav1.PatchOptions{})
		}
		edited <- err
	}()
	return edited
}
