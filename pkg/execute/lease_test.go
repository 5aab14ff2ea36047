package execute

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	kubetesting "k8s.io/client-go/testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
)

// runOf is a run of a person's on a primary.
func runOf(who string, client *fake.Clientset) (*Executor, waiter, *messages) {
	var said messages
	w := said.waiter()
	w.cluster = &cluster.Cluster{Name: "east", CLIClient: kubeOnly{clientset: client}}
	return &Executor{Holder: who, Clusters: cluster.Set{"east": w.cluster}, Mesh: mesh.Mesh{Namespace: "istio-system", Clusters: []mesh.Cluster{
		{Name: "east", Role: mesh.Primary}, {Name: "west", Role: mesh.Remote},
	}}}, w, &said
}

func leasesOf(client *fake.Clientset) coordination.LeaseInterface {
	return client.CoordinationV1().Leases("istio-system")
}

// taken is the lease as another run has taken it.
func taken(who string, at time.Time) *coordinationv1.Lease {
	seconds := int32(10)
	return &coordinationv1.Lease{ObjectMeta: meta("kubectl-mesh-remote-west"), Spec: coordinationv1.LeaseSpec{
		HolderIdentity: &who, LeaseDurationSeconds: &seconds, AcquireTime: &metav1.MicroTime{Time: at}, RenewTime: &metav1.MicroTime{Time: at},
	}}
}

func holderOf(t *testing.T, client *fake.Clientset) string {
	t.Helper()
	there, err := leasesOf(client).Get(t.Context(), "kubectl-mesh-remote-west", metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return *there.Spec.HolderIdentity
}

// One run waits for the other to end, however long that takes, and then has the lease itself; nothing is left.
func TestLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset()
		alice, first, _ := runOf("alice@laptop/1", client)
		bob, second, said := runOf("bob@ci/2", client)
		begin := time.Now()
		for range 2 { // the second time it has it
			if other, err := alice.hold(t.Context(), first, "west"); err != nil || other != "" {
				t.Fatalf("alice waits for %q, %v", other, err)
			}
		}
		if time.Since(begin) != 0 {
			t.Errorf("a free lease takes %v", time.Since(begin))
		}
		const work = 3 * leaseDuration
		time.AfterFunc(work, func() { alice.release(t.Context(), "west") })
		other, err := bob.hold(t.Context(), second, "west")
		if err != nil || other != "alice@laptop/1" {
			t.Errorf("bob has waited for %q, %v", other, err)
		}
		if took := time.Since(begin); took < work || took > work+2*time.Second {
			t.Errorf("bob waits for %v", took)
		}
		if want := "waiting for the run of alice@laptop/1, which began at " + begin.Local().Format(time.TimeOnly); !slices.Equal(*said, []string{want}) {
			t.Errorf("bob is told %q, want %q", *said, want)
		}
		if who := holderOf(t, client); who != "bob@ci/2" {
			t.Errorf("it is held by %q", who)
		}
		bob.Release(t.Context())
		bob.Release(t.Context())
		if who := holderOf(t, client); who != "" {
			t.Errorf("it is still held by %q", who)
		}
	})
}

// Nobody waits longer for a run that was killed than its lease lasts, even if clocks differ.
func TestLeaseOfAKilledRun(t *testing.T) {
	t.Parallel()
	for who, wait := range map[string]time.Duration{"alice@laptop/1": leaseDuration, "bob@ci/2": 0} {
		for _, skew := range []time.Duration{-time.Hour, 0, time.Hour} {
			t.Run(fmt.Sprintf("%s, whose clock is off by %v", who, skew), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					begin := time.Now()
					client := fake.NewClientset(taken(who, begin.Add(skew)))
					bob, w, _ := runOf("bob@ci/2", client)
					if _, err := bob.hold(t.Context(), w, "west"); err != nil {
						t.Fatal(err)
					}
					if took := time.Since(begin); took < wait || took > wait+2*time.Second {
						t.Errorf("it takes %v, not %v", took, wait)
					}
					there, err := leasesOf(client).Get(t.Context(), "kubectl-mesh-remote-west", metav1.GetOptions{})
					if err != nil || *there.Spec.HolderIdentity != "bob@ci/2" || !there.Spec.RenewTime.After(begin.Add(-time.Second)) || *there.Spec.LeaseTransitions != 1 {
						t.Errorf("the lease says %+v, %v", there, err)
					}
					bob.Release(t.Context())
				})
			})
		}
	}
}

// The wait ends with the command's own, and says for whom it was.
func TestLeaseOfARunWithoutAnEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset()
		alice, first, _ := runOf("alice@laptop/1", client)
		bob, second, _ := runOf("bob@ci/2", client)
		if _, err := alice.hold(t.Context(), first, "west"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("--timeout 1m0s has passed"))
		defer cancel()
		_, err := bob.hold(ctx, second, "west")
		if err == nil || !strings.HasPrefix(err.Error(), "cluster east: the end of another run: gave up waiting (--timeout 1m0s has passed); seen last: waiting for the run of alice@laptop/1, ") {
			t.Errorf("got %v", err)
		}
		bob.Release(t.Context())
		if who := holderOf(t, client); who != "alice@laptop/1" {
			t.Errorf("it is held by %q", who)
		}
		alice.Release(t.Context())
	})
}

// What has been lost meanwhile, to a run that has waited long enough, is not given back.
func TestLeaseLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset()
		alice, w, _ := runOf("alice@laptop/1", client)
		if _, err := alice.hold(t.Context(), w, "west"); err != nil {
			t.Fatal(err)
		}
		if _, err := leasesOf(client).Update(t.Context(), taken("bob@ci/2", time.Now()), metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		looked := make(chan struct{}, 100)
		client.PrependReactor("get", "leases", func(kubetesting.Action) (bool, runtime.Object, error) {
			looked <- struct{}{}
			return false, nil, nil
		})
		for range 3 { // it would have renewed the lease by now
			<-looked
		}
		alice.Release(t.Context())
		if who := holderOf(t, client); who != "bob@ci/2" {
			t.Errorf("it is held by %q", who)
		}
	})
}

// Of two runs that are as quick as one another one has it.
func TestLeaseAtOnce(t *testing.T) {
	t.Parallel()
	resource := schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}
	for verb, refusal := range map[string]error{
		"create": apierrors.NewAlreadyExists(resource, "kubectl-mesh-remote-west"),
		"update": apierrors.NewConflict(resource, "kubectl-mesh-remote-west", errors.New("changed")),
	} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := fake.NewClientset()
				if verb == "update" {
					client = fake.NewClientset(taken("", time.Now()))
				}
				once := true
				client.PrependReactor(verb, "leases", func(kubetesting.Action) (bool, runtime.Object, error) {
					refused := once
					once = false
					return refused, nil, refusal
				})
				bob, w, said := runOf("bob@ci/2", client)
				if _, err := bob.hold(t.Context(), w, "west"); err != nil || !slices.Equal(*said, []string{"another run was quicker"}) {
					t.Errorf("said %q, %v", *said, err)
				}
				bob.Release(t.Context())
			})
		})
	}
}

func TestLeaseForbidden(t *testing.T) {
	t.Parallel()
	client := fake.NewClientset()
	client.PrependReactor("create", "leases", func(kubetesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}, "kubectl-mesh-remote-west", errors.New("not yours"))
	})
	bob, w, _ := runOf("bob@ci/2", client)
	_, err := bob.hold(t.Context(), w, "west")
	if !errors.As(err, &permanentError{}) || !strings.HasPrefix(err.Error(), "cluster east: the Lease istio-system/kubectl-mesh-remote-west: ") {
		t.Errorf("got %v", err)
	}
}
