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
	"github.com/kubectl-mesh/kubectl-mesh/pkg/obstacle"
)

// startTimeout is how long a pod may take to be ready: it may have images to pull. In less than fairTime it may not be where
// all is well. afterwards is what the rest of a run takes beside settling.
const (
	startTimeout = 90 * time.Second
	fairTime     = 20 * time.Second
	afterwards   = 10 * time.Second
)

// unpullable is why a probe does not start where its image can't be had.
type unpullable struct{ error }

func (u unpullable) Unwrap() error { return u.error }

// tooShortError is why a probe was given less time than a healthy one may need.
type tooShortError struct{ error }

func (h tooShortError) Unwrap() error { return h.error }

// awaitReady waits for one of the pods, but not so long that what it waits for could no longer be done, and no longer than
// it can become ready: the pod is new, so that its status is not left over from an earlier try. The error says what was seen last.
func (r *runner) awaitReady(ctx context.Context, c *cluster.Cluster, pod string) error {
	bound, more := startTimeout, ""
	if deadline, ends := ctx.Deadline(); ends {
		if left := time.Until(deadline) - r.Settle - afterwards; left < bound {
			bound, more = max(left, time.Second), "; --timeout gives it more time"
		}
	}
	seen := "nothing"
	var unseen error // why the last look saw nothing
	var stuck obstacle.Obstacle
	ns := r.traffic.Namespace
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, bound, true, func(ctx context.Context) (bool, error) {
		p, err := c.Kube().CoreV1().Pods(ns).Get(ctx, pod, metav1.GetOptions{})
		unseen = err
		if err != nil {
			return false, nil //nolint:nilerr // it is looked at again, and said at the end
		}
		stuck, seen = obstacle.OfPod(*p), trouble(p)
		return podutils.IsPodReady(p) || stuck.Final, nil
	})
	ours := stuck.Image && stuck.Container == containerName
	switch {
	case stuck.Final && ours:
		return unpullable{fmt.Errorf("image %s: %s", r.Image, stuck.What)}
	case stuck.Final:
		return fmt.Errorf("pod %s in %s can't become ready: %s", pod, ns, seen)
	case err == nil:
		return nil
	case unseen != nil:
		err = fmt.Errorf("pod %s in %s was not seen within %s%s: %w", pod, ns, bound.Round(time.Second), more, unseen)
	default:
		err = fmt.Errorf("pod %s in %s was not ready within %s%s: %s", pod, ns, bound.Round(time.Second), more, seen)
	}
	switch {
	case bound < fairTime:
		return tooShortError{err}
	case ours && unseen == nil:
		return unpullable{err}
	}
	return err
}

// trouble says what keeps a pod from being ready, as far as it tells.
func trouble(p *corev1.Pod) string {
	switch o := obstacle.OfPod(*p); {
	case o.Container != "" && !o.Crashed:
		return fmt.Sprintf("container %s: %s", o.Container, o.What)
	case o.What != "":
		return o.What
	}
	statuses := slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses)
	for _, status := range statuses {
		if t := status.State.Terminated; t != nil && t.ExitCode != 0 {
			return fmt.Sprintf("container %s ended with exit code %d: %s", status.Name, t.ExitCode, t.Message)
		}
	}
	// A sidecar is an init container that goes on running; until it is ready the others are not started.
	for _, status := range statuses {
		if !status.Ready {
			return fmt.Sprintf("container %s is not ready", status.Name)
		}
	}
	return "phase " + string(p.Status.Phase)
}
