package probe

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"

	"istio.io/istio/pkg/kube"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// kubeOnly is a client of Kubernetes' own objects.
type kubeOnly struct {
	kube.CLIClient
	clientset kubernetes.Interface
}

func (k kubeOnly) Kube() kubernetes.Interface { return k.clientset }

// The wait for a probe ends at once where its pod can't become ready, and tells an image of its own from Istio's.
func TestAwaitReady(t *testing.T) {
	t.Parallel()
	const missing = `rpc error: code = NotFound desc = failed to resolve reference "registry.example/mesh-probe:1": not found`
	waits := func(container, reason, message string, restarts int32) corev1.PodStatus {
		return corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{
			{Name: container, RestartCount: restarts, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}},
		}}
	}
	for _, test := range []struct {
		name       string
		status     corev1.PodStatus
		says       string
		unpullable bool
		takes      time.Duration
	}{
		{"ready", corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}, "", false, 0},
		{"no image", waits("probe", "ErrImagePull", missing, 0), "image registry.example/mesh-probe:1: ErrImagePull: " + missing, true, 0},
		{"no image, seen later", waits("probe", "ImagePullBackOff", "Back-off pulling image: ErrImagePull: "+missing, 0), missing, true, 0},
		{"no image by that name", waits("probe", "InvalidImageName", "couldn't parse image name", 0), "image registry.example/mesh-probe:1: InvalidImageName: couldn't parse image name", true, 0},
		{"no image of the sidecar", waits("istio-proxy", "ErrImagePull", "proxyv2:1: not found", 0),
			"pod mesh-probe in ns can't become ready: container istio-proxy: ErrImagePull: proxyv2:1: not found", false, 0},
		{"a silent registry", waits("probe", "ErrImagePull", "dial tcp: i/o timeout", 0),
			"pod mesh-probe in ns was not ready within 1m30s: container probe: ErrImagePull: dial tcp: i/o timeout", true, startTimeout},
		{"a program that is none", waits("probe", "RunContainerError", "exec format error", 0), "can't become ready: container probe: RunContainerError: exec format error", false, 0},
		{"a program that ends", waits("probe", "CrashLoopBackOff", "back-off 40s", 3), "can't become ready: CrashLoopBackOff: back-off 40s", false, 0},
		{"no node", corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/1 nodes are available"}}},
			"was not ready within 1m30s: 0/1 nodes are available", false, startTimeout},
		{"it starts", waits("probe", "ContainerCreating", "", 0), "was not ready within 1m30s: container probe is not ready", false, startTimeout},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: podName, Namespace: "ns"}, Status: test.status}
				c := &cluster.Cluster{CLIClient: kubeOnly{clientset: fake.NewClientset(pod)}, Name: "west"}
				r := &runner{Options: Options{Image: "registry.example/mesh-probe:1"}, traffic: &snapshot.Traffic{Namespace: "ns"}}
				begin := time.Now()
				err := r.awaitReady(context.WithoutCancel(t.Context()), c, podName)
				switch {
				case (err == nil) != (test.says == ""):
					t.Fatalf("%v", err)
				case err != nil && !strings.Contains(err.Error(), test.says):
					t.Errorf("it says %q\nwant %q", err, test.says)
				}
				if got := errors.As(err, &unpullable{}); got != test.unpullable {
					t.Errorf("unpullable: %v", got)
				}
				if took := time.Since(begin).Truncate(5 * time.Second); took != test.takes {
					t.Errorf("it takes %v, want %v", took, test.takes)
				}
			})
		})
	}
}

// Where --timeout leaves too little time nothing is known of a probe, unless it can't become ready anyway.
func TestAwaitReadyInAHurry(t *testing.T) {
	t.Parallel()
	waiting := func(reason, message string) corev1.PodStatus {
		return corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{
			{Name: containerName, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}},
		}}
	}
	for _, test := range []struct {
		name          string
		timeout       time.Duration
		status        corev1.PodStatus
		tooShortError bool
	}{
		{"it starts", 10 * time.Second, waiting("ContainerCreating", ""), true},
		{"it starts, in the default time", time.Minute, waiting("ContainerCreating", ""), false},
		{"no image", 10 * time.Second, waiting("ErrImagePull", "registry.example/mesh-probe:1: not found"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: podName, Namespace: "ns"}, Status: test.status}
				c := &cluster.Cluster{CLIClient: kubeOnly{clientset: fake.NewClientset(pod)}, Name: "west"}
				r := &runner{Options: Options{Settle: 20 * time.Second}, traffic: &snapshot.Traffic{Namespace: "ns"}}
				ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), test.timeout)
				defer cancel()
				if err := r.awaitReady(ctx, c, podName); err == nil || errors.As(err, &tooShortError{}) != test.tooShortError {
					t.Errorf("hurried: %v, %v", !test.tooShortError, err)
				}
			})
		})
	}
}
