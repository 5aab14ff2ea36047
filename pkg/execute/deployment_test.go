package execute

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/obstacle"
)

// istiodWith is istiod's Deployment, with a pod that is not available yet.
func istiodWith(change func(*appsv1.Deployment)) *appsv1.Deployment {
	one := int32(1)
	d := &appsv1.Deployment{ObjectMeta: meta("istiod"), Spec: appsv1.DeploymentSpec{
		Replicas: &one, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "istiod"}},
	}}
	d.Generation = 1
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: 1, UpdatedReplicas: 1, Replicas: 1}
	change(d)
	return d
}

// podOf is one of its pods, of a rollout and a time.
func podOf(name, rollout string, created int64, change func(*corev1.PodStatus)) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: meta(name)}
	pod.Labels = map[string]string{"app": "istiod", appsv1.DefaultDeploymentUniqueLabelKey: rollout}
	pod.CreationTimestamp = metav1.Unix(created, 0)
	change(&pod.Status)
	return pod
}

// waitsFor is a container that waits for a reason, after so many restarts.
func waitsFor(reason, message string, restarts int32) func(*corev1.PodStatus) {
	return func(s *corev1.PodStatus) {
		c := corev1.ContainerStatus{Name: "discovery", RestartCount: restarts}
		c.State.Waiting = &corev1.ContainerStateWaiting{Reason: reason, Message: message}
		if restarts > 0 {
			c.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 255}
		}
		s.ContainerStatuses = []corev1.ContainerStatus{c}
	}
}

// A wait for a Deployment ends once it is rolled out, and early where its pods can't become ready by themselves.
func TestRolledOut(t *testing.T) {
	t.Parallel()
	waiting := istiodWith(func(*appsv1.Deployment) {})
	condition := func(kind appsv1.DeploymentConditionType, status corev1.ConditionStatus, reason, message string) *appsv1.Deployment {
		return istiodWith(func(d *appsv1.Deployment) {
			d.Status.Conditions = []appsv1.DeploymentCondition{{Type: kind, Status: status, Reason: reason, Message: message}}
		})
	}
	const (
		kubectl = "\n  → kubectl --context east-context -n istio-system "
		inVain  = "gave up waiting (context deadline exceeded); seen last: "
	)
	for _, test := range []struct {
		name    string
		objects []runtime.Object
		says    string
		takes   time.Duration
	}{
		{name: "it is ready", objects: []runtime.Object{istiodWith(func(d *appsv1.Deployment) { d.Status.AvailableReplicas, d.Status.ReadyReplicas = 1, 1 })},
			says: "1 ready"},
		{name: "it is not there", says: `not found`, takes: 5 * time.Minute},
		{name: "its pod starts", objects: []runtime.Object{waiting, podOf("istiod-x", "b", 2, waitsFor("ContainerCreating", "", 0))},
			says: inVain + "Waiting for deployment \"istiod\" rollout to finish: 0 of 1 updated replicas are available", takes: 5 * time.Minute},
		{name: "no node has room", objects: []runtime.Object{waiting, podOf("istiod-x", "b", 2, func(s *corev1.PodStatus) {
			s.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/1 nodes are available"}}
		})}, says: "are available (pod istiod-x: 0/1 nodes are available)", takes: 5 * time.Minute},
		{name: "a registry that does not answer", objects: []runtime.Object{waiting, podOf("istiod-x", "b", 2, waitsFor("ImagePullBackOff", "dial tcp: i/o timeout", 0))},
			says: "are available (pod istiod-x: ImagePullBackOff: dial tcp: i/o timeout)", takes: 5 * time.Minute},
		{name: "an image that is not there", objects: []runtime.Object{waiting, podOf("istiod-x", "b", 2, waitsFor("ErrImagePull", "docker.io/x:1: not found", 0))},
			says: "the pods of Deployment istiod in istio-system can't become ready: pod istiod-x: ErrImagePull: docker.io/x:1: not found" + kubectl + "describe pod istiod-x", takes: obstacle.DefaultGracePeriod},
		{name: "an image that an earlier rollout lacked", objects: []runtime.Object{waiting,
			podOf("istiod-w", "a", 1, waitsFor("ErrImagePull", "docker.io/x:1: not found", 0)), podOf("istiod-x", "b", 2, waitsFor("ContainerCreating", "", 0))},
			says: inVain + "Waiting for deployment \"istiod\" rollout to finish: 0 of 1 updated replicas are available", takes: 5 * time.Minute},
		{name: "an image's name that is none", objects: []runtime.Object{waiting, podOf("istiod-x", "b", 2, waitsFor("InvalidImageName", "couldn't parse image name", 0))},
			says: "can't become ready: pod istiod-x: InvalidImageName: couldn't parse image name" + kubectl + "describe pod istiod-x"},
		{name: "a container that can't be made", objects: []runtime.Object{waiting, podOf("istiod-x", "b", 2, waitsFor("CreateContainerConfigError", "image will run as root", 0))},
			says: "can't become ready: pod istiod-x: CreateContainerConfigError: image will run as root" + kubectl + "describe pod istiod-x", takes: obstacle.DefaultGracePeriod},
		{name: "a container that has ended once", objects: []runtime.Object{waiting, podOf("istiod-x", "b", 2, waitsFor("CrashLoopBackOff", "back-off 10s", 1))},
			says: "are available (pod istiod-x: container discovery has ended 2 times, the last time with exit code 255)", takes: 5 * time.Minute},
		{name: "a container that ends again and again", objects: []runtime.Object{waiting, podOf("istiod-x", "b", 2, waitsFor("CrashLoopBackOff", "back-off 40s", 3))},
			says: "can't become ready: pod istiod-x: container discovery has ended 4 times, the last time with exit code 255; the last line of its log: fake logs" +
				kubectl + "logs istiod-x -c discovery --previous"},
		{name: "no pods are wanted", objects: []runtime.Object{istiodWith(func(d *appsv1.Deployment) {
			none := int32(0)
			d.Spec.Replicas, d.Status = &none, appsv1.DeploymentStatus{ObservedGeneration: 1}
		})}, says: "can't become ready: it is scaled to 0 pods" + kubectl + "scale deployment istiod --replicas=1"},
		{name: "a quota", objects: []runtime.Object{condition(appsv1.DeploymentReplicaFailure, corev1.ConditionTrue, "FailedCreate", `pods "istiod-x" is forbidden: exceeded quota: small`)},
			says: `can't become ready: its pods are refused: pods "istiod-x" is forbidden: exceeded quota: small; once that is changed, restart the rollout` +
				kubectl + "rollout restart deployment istiod", takes: obstacle.DefaultGracePeriod},
		{name: "a webhook that does not answer", objects: []runtime.Object{condition(appsv1.DeploymentReplicaFailure, corev1.ConditionTrue, "FailedCreate", "failed calling webhook")},
			says: inVain + "Waiting for deployment", takes: 5 * time.Minute},
		{name: "its deadline", objects: []runtime.Object{condition(appsv1.DeploymentProgressing, corev1.ConditionFalse, "ProgressDeadlineExceeded", "")},
			says: `can't become ready: deployment "istiod" exceeded its progress deadline` + kubectl + "describe deployment istiod", takes: obstacle.DefaultGracePeriod},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := &Executor{Mesh: mesh.Mesh{Namespace: "istio-system", Clusters: []mesh.Cluster{{Name: "east", Context: "east-context", Role: mesh.Primary}}}}
				c := &cluster.Cluster{CLIClient: kubeOnly{clientset: fake.NewClientset(test.objects...)}, Name: "east"}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
				defer cancel()
				begin := time.Now()
				seen, err := waiter{cluster: c, say: func(string) {}}.until(ctx, "Deployment istiod", e.rolledOut(c, "istiod", nil))
				if err != nil {
					seen = err.Error()
				}
				if says := strings.HasSuffix(seen, test.says) || test.takes == 5*time.Minute && strings.Contains(seen, test.says); !says {
					t.Errorf("it says %q\nwant %q", seen, test.says)
				}
				if took := time.Since(begin).Truncate(5 * time.Second); took != test.takes {
					t.Errorf("it takes %v, want %v", took, test.takes)
				}
			})
		})
	}
}
