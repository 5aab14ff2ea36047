package act

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// settling is how long an obstacle is seen that does not go away by itself, but may be of before a change that was just made:
// controllers look again now and then.
const settling = 20 * time.Second

// crashes is how often a container ends before it counts as one that always will: the kubelet waits 10, 20 and 40 seconds
// between these starts, in which what the container needs may come.
const crashes = 3

// obstacle is what keeps a Deployment's pods from being ready.
type obstacle struct {
	// reason is its kind, as Kubernetes calls it.
	reason string
	// what says it in words, with the pod.
	what string
	// final is true for what does not change by itself: the wait ends once it has lasted for patience.
	final    bool
	patience time.Duration
	// command is what to look at it with, or what changes it: kubectl's arguments.
	command []string
	// pod, and crashed, the container that ends again and again; empty where none does.
	pod, crashed string
}

// or is the obstacle, or another where there is none.
func (o obstacle) or(other obstacle) obstacle {
	if o.what == "" {
		return other
	}
	return o
}

// obstacleOf finds what keeps a Deployment from being rolled out; the zero obstacle where nothing is seen.
func obstacleOf(d *appsv1.Deployment, pods []corev1.Pod) obstacle {
	if d.Spec.Replicas != nil && *d.Spec.Replicas == 0 {
		return obstacle{reason: "NoReplicas", what: "it is scaled to 0 pods", final: true,
			command: []string{"scale", "deployment", d.Name, "--replicas=1"}}
	}
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue && refused(c.Message) {
			// The controller tries again ever more seldom: a new rollout makes it try at once.
			return obstacle{reason: c.Reason, what: "its pods are refused: " + c.Message + "; once that is changed, restart the rollout", final: true, patience: settling,
				command: []string{"rollout", "restart", "deployment", d.Name}}
		}
	}
	for _, pod := range newest(pods) {
		if o := obstacleOfPod(pod); o.what != "" {
			return o
		}
	}
	return obstacle{}
}

// refused is true for a message of the API server that refuses a pod for what it is: a quota, a policy, an admission
// webhook. One that says that a webhook did not answer may be another the next time.
func refused(message string) bool {
	return strings.Contains(message, "is forbidden") || strings.Contains(message, "denied the request")
}

// newest are the pods of the latest rollout: those of an earlier one say nothing of it.
func newest(pods []corev1.Pod) []corev1.Pod {
	if len(pods) == 0 {
		return nil
	}
	last := slices.MaxFunc(pods, func(a, b corev1.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	return slices.DeleteFunc(slices.Clone(pods), func(p corev1.Pod) bool {
		return p.DeletionTimestamp != nil || p.Labels[appsv1.DefaultDeploymentUniqueLabelKey] != last.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
	})
}

func obstacleOfPod(pod corev1.Pod) obstacle {
	for _, c := range pod.Status.Conditions {
		// A node may come: a cluster autoscaler makes one.
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return obstacle{reason: c.Reason, what: fmt.Sprintf("pod %s: %s", pod.Name, c.Message), command: []string{"describe", "pod", pod.Name}}
		}
	}
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if waiting := status.State.Waiting; waiting != nil {
			if o := obstacleOfContainer(pod.Name, status, waiting); o.what != "" {
				return o
			}
		}
	}
	return obstacle{}
}

// obstacleOfContainer judges why a container waits. The reasons are the kubelet's (pkg/kubelet/images/types.go and
// pkg/kubelet/kuberuntime).
func obstacleOfContainer(pod string, status corev1.ContainerStatus, waiting *corev1.ContainerStateWaiting) obstacle {
	o := obstacle{reason: waiting.Reason, what: fmt.Sprintf("pod %s: %s", pod, waiting.Reason), pod: pod, command: []string{"describe", "pod", pod}}
	if waiting.Message != "" {
		o.what += ": " + waiting.Message
	}
	switch waiting.Reason {
	case "InvalidImageName", "ErrImageNeverPull":
		o.final = true
	case "ErrImagePull", "ImagePullBackOff":
		o.reason = "ImagePullBackOff" // the two take turns
		if noSuchImage(waiting.Message) {
			o.final, o.patience = true, settling
		}
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		o.final, o.patience = true, settling
	case "CrashLoopBackOff":
		if last := status.LastTerminationState.Terminated; last != nil {
			o.what = fmt.Sprintf("pod %s: container %s has ended %d times, the last time with exit code %d", pod, status.Name, status.RestartCount+1, last.ExitCode)
		}
		o.crashed, o.command = status.Name, []string{"logs", pod, "-c", status.Name, "--previous"}
		o.final = status.RestartCount >= crashes
	default:
		if waiting.Message == "" {
			return obstacle{} // ContainerCreating, PodInitializing
		}
	}
	return o
}

// noSuchImage is true for what a registry says that will say it again: the image is not there, or not for this user. A
// registry that does not answer may do so later.
func noSuchImage(message string) bool {
	for _, words := range []string{"not found", "manifest unknown", "no match for platform", "unauthorized", "denied", "authorization failed"} {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}
