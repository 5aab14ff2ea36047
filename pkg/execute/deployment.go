package execute

import (
	"context"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/kubectl/pkg/polymorphichelpers"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/obstacle"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// rolloutWait is a wait for a Deployment. It ends early where the Deployment's pods can't become ready by themselves.
type rolloutWait struct {
	*Executor
	cluster *cluster.Cluster
	name    string
	// discovery are the mesh's selectors, for a Deployment whose pods mount what istiod writes.
	discovery snapshot.DiscoverySelectors
	// stuck is what keeps the pods from being ready, and since when it has been seen.
	stuck obstacle.Obstacle
	since time.Time
}

// rolledOut waits until a Deployment in Istio's namespace is rolled out, with at least one pod.
func (e *Executor) rolledOut(c *cluster.Cluster, name string, discovery snapshot.DiscoverySelectors) condition {
	return (&rolloutWait{Executor: e, cluster: c, name: name, discovery: discovery}).condition
}

// condition looks once whether the wait is over.
func (r *rolloutWait) condition(ctx context.Context) (done bool, seen string, err error) {
	deployment, err := r.cluster.Kube().AppsV1().Deployments(r.Mesh.Namespace).Get(ctx, r.name, metav1.GetOptions{})
	if err != nil {
		return false, "", err
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(deployment)
	if err != nil {
		return false, "", permanentError{err}
	}
	viewer := polymorphichelpers.DeploymentStatusViewer{}
	message, rolledOut, err := viewer.Status(&unstructured.Unstructured{Object: content}, 0)
	if rolledOut && (deployment.Spec.Replicas == nil || *deployment.Spec.Replicas > 0) {
		return true, fmt.Sprintf("%d ready", deployment.Status.ReadyReplicas), nil
	}
	stuck := obstacle.Of(deployment, r.pods(ctx, deployment))
	if stuck.What == "" {
		stuck = r.missingRootCert(ctx)
	}
	if err != nil { // its progress deadline has passed; that stays so until a pod becomes ready
		if stuck.What == "" {
			stuck = obstacle.Obstacle{Reason: "ProgressDeadlineExceeded", What: err.Error(), Command: []string{"describe", "deployment", r.name}}
		}
		if !stuck.Final {
			stuck.Final, stuck.GracePeriod = true, obstacle.DefaultGracePeriod
		}
	}
	if stuck.Reason != r.stuck.Reason {
		r.since = time.Now()
	}
	r.stuck = stuck
	if stuck.Final && time.Since(r.since) >= stuck.GracePeriod {
		return false, "", r.ends(ctx, stuck)
	}
	message = strings.TrimSuffix(strings.TrimSpace(message), "...")
	if stuck.What != "" {
		message += fmt.Sprintf(" (%s)", stuck)
	}
	return false, message, nil
}

// pods are the Deployment's; none where they can't be listed.
func (r *rolloutWait) pods(ctx context.Context, deployment *appsv1.Deployment) []corev1.Pod {
	pods, err := r.cluster.Kube().CoreV1().Pods(deployment.Namespace).List(ctx,
		metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(deployment.Spec.Selector)})
	if err != nil {
		return nil
	}
	return pods.Items
}

// ends is the error of a wait that an obstacle ends.
func (r *rolloutWait) ends(ctx context.Context, stuck obstacle.Obstacle) error {
	what := stuck.String()
	if stuck.Crashed {
		if line := r.lastLine(ctx, stuck.Pod, stuck.Container); line != "" {
			what += "; the last line of its log: " + line
		}
	}
	fix := ""
	if stuck.Command != nil {
		fix = "\n  → " + r.onIstiod(r.cluster, stuck.Command...).String()
	}
	return permanentError{fmt.Errorf("the pods of Deployment %s in %s can't become ready: %s%s", r.name, r.Mesh.Namespace, what, fix)}
}

// lastLine is what a container that has ended said last; empty where that can't be read.
func (r *rolloutWait) lastLine(ctx context.Context, pod, container string) string {
	one := int64(1)
	const most = 512 // bytes of a line
	limit := int64(most)
	log, err := r.cluster.Kube().CoreV1().Pods(r.Mesh.Namespace).GetLogs(pod,
		&corev1.PodLogOptions{Container: container, Previous: true, TailLines: &one, LimitBytes: &limit}).DoRaw(ctx)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(log))
}
