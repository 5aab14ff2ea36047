package execute

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
)

// After a restart of istiod a remote waits for one that leads there, whosever it is.
func TestLeaderWait(t *testing.T) {
	t.Parallel()
	lock := func(holder, renewed string) *corev1.ConfigMap {
		cm := &corev1.ConfigMap{ObjectMeta: meta(istio.NamespaceLock)}
		cm.Annotations = map[string]string{resourcelock.LeaderElectionRecordAnnotationKey: fmt.Sprintf(`{"holderIdentity":%q,"leaseDurationSeconds":30,"renewTime":%q}`, holder, renewed)}
		return cm
	}
	istiod := func(name, revision string) *corev1.Pod {
		pod := &corev1.Pod{ObjectMeta: meta(name)}
		pod.Labels = map[string]string{"app": "istiod", "istio.io/rev": revision}
		pod.Status.Phase = corev1.PodRunning
		return pod
	}
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
		{"a pod of another revision", []runtime.Object{lock("istiod-canary-new", first)}, nil, true, "istiod-canary-new leads there"},
		{"another control plane's pod", []runtime.Object{lock("istiod-other", first)}, lock("istiod-other", later), true, "istiod-other leads there"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &leaderWait{Executor: &Executor{}, primary: faked(istiod("istiod-new", "default"), istiod("istiod-canary-new", "canary")), remote: faked(test.there...)}
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

// An istiod that was changed in the primary is of use once it is rolled out and one leads.
func TestRestartWait(t *testing.T) {
	t.Parallel()
	says := func(done bool, seen string) condition {
		return func(context.Context) (bool, string, error) { return done, seen, nil }
	}
	for _, test := range []struct {
		name            string
		rollout, leader condition
		done            bool
		says            string
	}{
		{"it is not rolled out", says(false, "0 of 1 updated"), nil, false, "0 of 1 updated"},
		{"none leads yet", says(true, "1 ready"), says(false, "no istiod leads there yet"), false, "1 ready; no istiod leads there yet"},
		{"it leads", says(true, "1 ready"), says(true, "istiod-new leads there"), true, "1 ready"},
	} {
		expect(t, test.name, (&restartWait{rollout: test.rollout, leader: test.leader}).condition, test.done, test.says)
	}
}
