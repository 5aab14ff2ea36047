package act

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
)

// After a restart of istiod a remote waits for one that leads there, whosever it is.
func TestSuccession(t *testing.T) {
	t.Parallel()
	lock := func(holder, renewed string) *corev1.ConfigMap {
		cm := &corev1.ConfigMap{ObjectMeta: meta(istio.NamespaceLock)}
		cm.Annotations = map[string]string{resourcelock.LeaderElectionRecordAnnotationKey: fmt.Sprintf(`{"holderIdentity":%q,"leaseDurationSeconds":30,"renewTime":%q}`, holder, renewed)}
		return cm
	}
	istiod := &corev1.Pod{ObjectMeta: meta("istiod-new")}
	istiod.Labels = map[string]string{"app": "istiod", "istio.io/rev": "default"}
	istiod.Status.Phase = corev1.PodRunning
	const first, later = "2026-11-26T12:00:00Z", "2026-11-26T12:00:10Z"
	const former = "istiod-old, which no longer runs, still holds the lock istio-namespace-controller-election there, until it runs out"
	for _, test := range []struct {
		name  string
		there []runtime.Object
		then  *corev1.ConfigMap
		done  bool
		says  string
	}{
		{"no lock", nil, nil, false, "no istiod leads there yet"},
		{"a lock that was given back", []runtime.Object{lock("", first)}, nil, false, "no istiod leads there yet"},
		{"a pod that runs", []runtime.Object{lock("istiod-new", first)}, nil, true, "istiod-new leads there"},
		{"a pod that has ended", []runtime.Object{lock("istiod-old", first)}, nil, false, former},
		{"a pod that has ended, still", []runtime.Object{lock("istiod-old", first)}, lock("istiod-old", first), false, former},
		{"another control plane's pod", []runtime.Object{lock("istiod-other", first)}, lock("istiod-other", later), true, "istiod-other leads there"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &succession{Actor: &Actor{}, primary: faked(istiod.DeepCopy()), remote: faked(test.there...)}
			s.Mesh.Namespace = "istio-system"
			if test.then != nil {
				if _, _, err := s.condition(t.Context()); err != nil {
					t.Fatal(err)
				}
				if _, err := s.remote.Kube().CoreV1().ConfigMaps("istio-system").Update(t.Context(), test.then, metav1.UpdateOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			expect(t, test.name, s.condition, test.done, test.says)
		})
	}
}
