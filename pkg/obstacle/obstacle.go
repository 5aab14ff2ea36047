// Package obstacle says what keeps pods from being ready, and whether that can change by itself.
package obstacle

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// DefaultGracePeriod is how long a final obstacle must last to count: it may stem from before a change, since controllers look
// again only now and then.
const DefaultGracePeriod = 20 * time.Second

// crashes is how often a container ends before it counts as one that always will: the kubelet waits 10, 20 and 40 seconds
// between these starts, in which what the container needs may come.
const crashes = 3

// Obstacle is what keeps pods from being ready.
type Obstacle struct {
	// Reason is its kind, as Kubernetes calls it.
	Reason string
	// What says it in words, without the pod; empty where nothing is seen.
	What string
	// Final is true for what does not change by itself: a wait may end once it has lasted for GracePeriod.
	Final       bool
	GracePeriod time.Duration
	// Command is what to look at it with, or what changes it: kubectl's arguments.
	Command []string
	// Pod and Container are those that it is about; empty where it is about none.
	Pod, Container string
	// Crashed is true where the container ends again and again, Image where its image can't be had.
	Crashed, Image bool
}

// String is the obstacle in words, with the pod.
func (o Obstacle) String() string {
	if o.Pod == "" {
		return o.What
	}
	return "pod " + o.Pod + ": " + o.What
}

// Of finds what keeps a Deployment from being rolled out; the zero Obstacle where nothing is seen.
func Of(d *appsv1.Deployment, pods []corev1.Pod) Obstacle {
	if d.Spec.Replicas != nil && *d.Spec.Replicas == 0 {
		return Obstacle{Reason: "NoReplicas", What: "it is scaled to 0 pods", Final: true,
			Command: []string{"scale", "deployment", d.Name, "--replicas=1"}}
	}
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue && refused(c.Message) {
			// The controller tries again ever more seldom: a new rollout makes it try at once.
			return Obstacle{Reason: c.Reason, What: "its pods are refused: " + c.Message + "; once that is changed, restart the rollout", Final: true, GracePeriod: DefaultGracePeriod,
				Command: []string{"rollout", "restart", "deployment", d.Name}}
		}
	}
	for _, pod := range newest(pods) {
		if o := OfPod(pod); o.What != "" {
			return o
		}
	}
	return Obstacle{}
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

// OfPod finds what keeps a pod from being ready; the zero Obstacle where nothing is seen.
func OfPod(pod corev1.Pod) Obstacle {
	for _, c := range pod.Status.Conditions {
		// A node may come: a cluster autoscaler makes one.
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return Obstacle{Reason: c.Reason, What: c.Message, Command: []string{"describe", "pod", pod.Name}, Pod: pod.Name}
		}
	}
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if waiting := status.State.Waiting; waiting != nil {
			if o := ofContainer(pod.Name, status, waiting); o.What != "" {
				return o
			}
		}
	}
	return Obstacle{}
}

// ofContainer judges why a container waits. The reasons are the kubelet's (pkg/kubelet/images/types.go and
// pkg/kubelet/kuberuntime).
func ofContainer(pod string, status corev1.ContainerStatus, waiting *corev1.ContainerStateWaiting) Obstacle {
	o := Obstacle{Reason: waiting.Reason, What: waiting.Reason, Command: []string{"describe", "pod", pod}, Pod: pod, Container: status.Name}
	if waiting.Message != "" {
		o.What += ": " + waiting.Message
	}
	switch waiting.Reason {
	case "InvalidImageName", "ErrImageNeverPull":
		o.Final, o.Image = true, true
	case "ErrImagePull", "ImagePullBackOff":
		o.Reason, o.Image = "ImagePullBackOff", true // the two take turns
		if noSuchImage(waiting.Message) {
			o.Final, o.GracePeriod = true, DefaultGracePeriod
		}
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		o.Final, o.GracePeriod = true, DefaultGracePeriod
	case "CrashLoopBackOff":
		if last := status.LastTerminationState.Terminated; last != nil {
			o.What = fmt.Sprintf("container %s has ended %d times, the last time with exit code %d", status.Name, status.RestartCount+1, last.ExitCode)
		}
		o.Crashed, o.Command = true, []string{"logs", pod, "-c", status.Name, "--previous"}
		o.Final = status.RestartCount >= crashes
	default:
		if waiting.Message == "" {
			return Obstacle{} // ContainerCreating, PodInitializing
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
