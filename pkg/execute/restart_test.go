package execute

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"

	"istio.io/istio/pkg/kube"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
)

// stuckIstiod is a primary whose istiod says one thing of its remote until it is restarted, and then another.
type stuckIstiod struct {
	*Executor
	cluster  *cluster.Cluster
	begin    time.Time
	restarts []time.Duration
}

func newStuckIstiod(change func(*appsv1.Deployment), more ...runtime.Object) *stuckIstiod {
	one := int32(1)
	istiod := &appsv1.Deployment{ObjectMeta: meta("istiod"), Spec: appsv1.DeploymentSpec{
		Replicas: &one, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "istiod"}},
	}}
	istiod.Status = appsv1.DeploymentStatus{Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1}
	if change != nil {
		change(istiod)
	}
	// Istio's own fake runs goroutines that outlive a test with a clock of its own.
	s := &stuckIstiod{Executor: &Executor{}, cluster: &cluster.Cluster{CLIClient: kubeOnly{clientset: fake.NewClientset(append(more, istiod)...)}}, begin: time.Now()}
	s.Mesh = mesh.Mesh{Namespace: "istio-system", Clusters: []mesh.Cluster{{Name: "east", Context: "east-context", Role: mesh.Primary}}}
	s.cluster.Name = "east"
	s.cluster.Kube().(*fake.Clientset).PrependReactor("patch", "deployments", func(kubetesting.Action) (bool, runtime.Object, error) {
		s.restarts = append(s.restarts, time.Since(s.begin).Truncate(5*time.Second)) // it looks every second or so
		return false, nil, nil
	})
	return s
}

// kubeOnly is a client of which only Kubernetes' own part is there.
type kubeOnly struct {
	kube.CLIClient
	clientset kubernetes.Interface
}

// Kube is that part.
func (k kubeOnly) Kube() kubernetes.Interface { return k.clientset }

// wait waits for a remote of which istiod says before, or after a restart, that.
func (s *stuckIstiod) wait(t *testing.T, allowed bool, before, after syncState) (string, error) {
	t.Helper()
	r := &remoteWait{Executor: s.Executor, cluster: s.cluster, remote: "west", allowed: allowed}
	r.look = func(context.Context) (bool, string, syncState, error) {
		state := before
		if len(s.restarts) > 0 {
			state = after
		}
		return state == inProgress, map[syncState]string{inProgress: "synced", stoppedWatching: "closed", overdue: "not listed", unreachable: "timeout"}[state], state, nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	return waiter{cluster: s.cluster, say: func(string) {}}.until(ctx, "istiod's view of west", r.condition)
}

func TestRemoteWait(t *testing.T) {
	t.Parallel()
	const command = "\n  → kubectl --context east-context -n istio-system rollout restart deployment istiod"
	secret, err := istio.RemoteSecret("istio-system", "west", istio.Credentials{Server: "https://127.0.0.1:6443", CA: []byte("c"), Token: []byte("t")})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name          string
		allowed       bool
		before, after syncState
		change        func(*appsv1.Deployment)
		restarts      []time.Duration
		takes         time.Duration
		says          string
	}{
		{name: "nothing is wrong", allowed: true, says: "synced"},
		{name: "it has stopped", allowed: true, before: stoppedWatching, restarts: []time.Duration{10 * time.Second}, takes: 10 * time.Second,
			says: "synced, after a restart of istiod"},
		{name: "it does not list it", allowed: true, before: overdue, restarts: []time.Duration{35 * time.Second}, takes: 35 * time.Second,
			says: "synced, after a restart of istiod"},
		{name: "a restart does not help", allowed: true, before: overdue, after: overdue, restarts: []time.Duration{35 * time.Second}, takes: 70 * time.Second,
			says: "cluster east: not listed (for 35s), though istiod has been restarted. Its log may say why:\n  → kubectl --context east-context -n istio-system logs deployment/istiod"},
		{name: "it is to be kept", before: stoppedWatching, takes: 10 * time.Second,
			says: "cluster east: closed (for 10s): istiod has stopped processing remote secrets, and only a restart helps; --restart-istiod=false was given" + command},
		{name: "it is paused", allowed: true, before: stoppedWatching, takes: 10 * time.Second, change: func(d *appsv1.Deployment) { d.Spec.Paused = true },
			says: "cluster east: closed (for 10s): istiod has stopped processing remote secrets, and only a restart helps: Deployment istiod in istio-system is paused (kubectl rollout resume)" + command},
		{name: "not replica by replica", allowed: true, before: stoppedWatching, takes: 10 * time.Second, change: func(d *appsv1.Deployment) { d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType },
			says: "cluster east: closed (for 10s): istiod has stopped processing remote secrets, and only a restart helps: Deployment istiod in istio-system has the strategy Recreate, so that no istiod would run for a moment" + command},
		{name: "it can't reach the remote", allowed: true, before: unreachable, takes: 20 * time.Second,
			says: "cluster east: timeout. Pods of east get no answer from https://127.0.0.1:6443: is there a firewall between, or is that an address which only other machines can use? Another one is given with --remote-server"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStuckIstiod(test.change, secret.DeepCopy())
				seen, err := s.wait(t, test.allowed, test.before, test.after)
				if err != nil {
					seen = err.Error()
				}
				if seen != test.says {
					t.Errorf("it says %q\nwant %q", seen, test.says)
				}
				if !slices.Equal(s.restarts, test.restarts) {
					t.Errorf("it is restarted after %v, want %v", s.restarts, test.restarts)
				}
				if took := time.Since(s.begin).Truncate(5 * time.Second); took != test.takes {
					t.Errorf("it takes %v, want %v", took, test.takes)
				}
			})
		})
	}
}

// However many remotes wait for it, istiod is restarted once.
func TestRemoteWaitOfSeveral(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStuckIstiod(nil)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if _, err := s.wait(t, true, stoppedWatching, inProgress); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(s.restarts) != 1 {
			t.Errorf("it is restarted after %v", s.restarts)
		}
	})
}

func TestRemoteWaitForbidden(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStuckIstiod(nil)
		s.cluster.Kube().(*fake.Clientset).PrependReactor("patch", "deployments", func(kubetesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(schema.GroupResource{Group: "apps", Resource: "deployments"}, "istiod", errors.New("not yours"))
		})
		_, err := s.wait(t, true, stoppedWatching, inProgress)
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "only a restart helps") || !strings.HasSuffix(err.Error(), "rollout restart deployment istiod") {
			t.Errorf("got %v", err)
		}
	})
}

// A rollout that does not end keeps the wait from judging istiod's word.
func TestRemoteWaitWaitsForTheRollout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStuckIstiod(func(d *appsv1.Deployment) { d.Status.UpdatedReplicas = 0 })
		_, err := s.wait(t, true, stoppedWatching, inProgress)
		if err == nil || !strings.Contains(err.Error(), "seen last: istiod restarts: Waiting for deployment") {
			t.Errorf("got %v", err)
		}
	})
}

// Restarted already, by a step of the plan, it is not restarted again.
func TestRestartIsDoneOnce(t *testing.T) {
	t.Parallel()
	s := newStuckIstiod(nil)
	for i, want := range []bool{true, false} {
		if wrote, err := s.restart(t.Context(), s.cluster); err != nil || wrote != want {
			t.Errorf("%d: wrote %v, %v", i, wrote, err)
		}
	}
	if len(s.restarts) != 1 {
		t.Errorf("it is restarted after %v", s.restarts)
	}
	other := newStuckIstiod(nil)
	other.cluster.Name = "south"
	if wrote, err := s.restart(t.Context(), other.cluster); err != nil || !wrote {
		t.Errorf("another primary's istiod: wrote %v, %v", wrote, err)
	}
}
