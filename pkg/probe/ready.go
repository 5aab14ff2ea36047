package probe

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/kubectl/pkg/util/podutils"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
)

// startTimeout is how long a pod may take to be ready: it may have images to pull. afterwards is what the rest of a run
// takes beside settling.
const (
	startTimeout = 90 * time.Second
	afterwards   = 10 * time.Second
)

// awaitReady waits for one of the pods, but not so long that what it waits for could no longer be done. The error says
// what was seen last.
func (r *runner) awaitReady(ctx context.Context, c *cluster.Cluster, pod string) error {
	bound, more := startTimeout, ""
	if deadline, ends := ctx.Deadline(); ends {
		if left := time.Until(deadline) - r.Settle - afterwards; left < bound {
			bound, more = max(left, time.Second), "; --timeout gives it more time"
		}
	}
	seen := "nothing"
	ns := r.traffic.Namespace
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, bound, true, func(ctx context.Context) (bool, error) {
		p, err := c.Kube().CoreV1().Pods(ns).Get(ctx, pod, metav1.GetOptions{})
		if err != nil {
			seen = err.Error()
			return false, nil //nolint:nilerr // it is looked at again, and said at the end
		}
		seen = trouble(p)
		return podutils.IsPodReady(p), nil
	})
	if err != nil {
		return fmt.Errorf("pod %s in %s was not ready within %s%s: %s", pod, ns, bound.Round(time.Second), more, seen)
	}
	return nil
}

// trouble says what keeps a pod from being ready, as far as it tells.
func trouble(p *corev1.Pod) string {
	for _, condition := range p.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return condition.Message
		}
	}
	for _, containers := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for _, status := range containers {
			if w := status.State.Waiting; w != nil && w.Reason != "PodInitializing" {
				return fmt.Sprintf("container %s: %s %s", status.Name, w.Reason, w.Message)
			}
			if t := status.State.Terminated; t != nil && t.ExitCode != 0 {
				return fmt.Sprintf("container %s ended with exit code %d: %s", status.Name, t.ExitCode, t.Message)
			}
		}
	}
	// A sidecar is an init container that goes on running; until it is ready the others are not started.
	for _, status := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if !status.Ready {
			return fmt.Sprintf("container %s is not ready", status.Name)
		}
	}
	return "phase " + string(p.Status.Phase)
}
