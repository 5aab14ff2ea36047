package execute

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"

	"istio.io/istio/pkg/kube"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
)

func secretWith(uid types.UID) *corev1.Secret {
	secret := &corev1.Secret{ObjectMeta: meta("istio-remote-secret-west")}
	secret.UID = uid
	return secret
}

// clientWithPreconditions is a client that respects the preconditions of deletions, as an API server does.
func clientWithPreconditions(t *testing.T, objects ...runtime.Object) *fake.Clientset {
	t.Helper()
	client := fake.NewClientset(objects...)
	client.PrependReactor("delete", "secrets", func(action kubetesting.Action) (bool, runtime.Object, error) {
		order := action.(kubetesting.DeleteActionImpl)
		there, err := client.Tracker().Get(order.Resource, order.Namespace, order.Name)
		if err != nil {
			return true, nil, err
		}
		if wanted := order.DeleteOptions.Preconditions.UID; *wanted != there.(*corev1.Secret).UID {
			return true, nil, apierrors.NewConflict(schema.GroupResource{Resource: "secrets"}, order.Name, errors.New("the UID is another"))
		}
		return false, nil, nil
	})
	return client
}

func TestDrop(t *testing.T) {
	t.Parallel()
	action := plan.DropRemoteSecrets{Remote: "west", Secrets: []plan.SeenSecret{{Name: "istio-remote-secret-west", UID: "seen"}}}
	for name, test := range map[string]struct {
		objects []runtime.Object
		dry     apply.DryRun
		want    run.Result
		left    bool
		leases  bool
	}{
		"as it was":                {objects: []runtime.Object{secretWith("seen")}, want: run.Result{Detail: "1 deleted", Wrote: true}, leases: true},
		"gone":                     {want: run.Result{Detail: "0 deleted"}, leases: true},
		"created again by another": {objects: []runtime.Object{secretWith("new")}, want: run.Result{Detail: "0 deleted; istio-remote-secret-west was created again by another run, and stays"}, left: true, leases: true},
		"in a client dry run":      {objects: []runtime.Object{secretWith("seen")}, dry: apply.DryRunClient, want: run.Result{Detail: "1 would be deleted, and created again"}, left: true},
		"in a server dry run":      {objects: []runtime.Object{secretWith("seen")}, dry: apply.DryRunServer, want: run.Result{Detail: "1 would be deleted, and created again"}, left: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := clientWithPreconditions(t, test.objects...)
			e, w, _ := runOf("alice@laptop/1", client)
			e.DryRun = test.dry
			result, err := e.Do(t.Context(), plan.Step{Cluster: "east", Action: action}, w.say)
			if err != nil || result != test.want {
				t.Errorf("got %+v, %v; want %+v", result, err, test.want)
			}
			_, err = client.CoreV1().Secrets("istio-system").Get(t.Context(), "istio-remote-secret-west", metav1.GetOptions{})
			if left := err == nil; left != test.left {
				t.Errorf("the secret is left: %v", left)
			}
			if leases := holderOf(t, client) != ""; leases != test.leases {
				t.Errorf("there is a lease: %v", leases)
			}
			e.Release(t.Context())
		})
	}
}

// Creating a secret needs the lease; updating one does not, unless another run holds the lease.
func TestHoldToCreate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		objects []runtime.Object
		fresh   bool
		other   string
		holder  string
	}{
		"no secret":                  {holder: "bob@ci/2"},
		"a new secret":               {fresh: true, holder: "bob@ci/2"},
		"one that is new, and there": {fresh: true, objects: []runtime.Object{secretWith("there")}, holder: "bob@ci/2"},
		"a secret":                   {objects: []runtime.Object{secretWith("there")}},
		"no secret, and another run": {objects: []runtime.Object{taken("alice@laptop/1", time.Now())}, other: "alice@laptop/1", holder: "bob@ci/2"},
		"a secret, and another run":  {objects: []runtime.Object{secretWith("there"), taken("alice@laptop/1", time.Now())}, other: "alice@laptop/1", holder: "bob@ci/2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := fake.NewClientset(test.objects...)
				bob, w, _ := runOf("bob@ci/2", client)
				other, err := bob.holdToCreate(t.Context(), w, plan.ApplyRemoteSecret{Remote: "west", New: test.fresh})
				if err != nil || other != test.other || holderOf(t, client) != test.holder {
					t.Errorf("it waits for %q (%v), and %q holds the lease", other, err, holderOf(t, client))
				}
				bob.Release(t.Context())
			})
		})
	}
}

// Of two runs that replace the same credentials the second keeps the secret that the first has created, and neither waits for
// something that never happens.
func TestTwoRunsReplaceOneSecret(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := clientWithPreconditions(t, secretWith("seen"))
		secrets := client.CoreV1().Secrets("istio-system")
		action := plan.DropRemoteSecrets{Remote: "west", Secrets: []plan.SeenSecret{{Name: "istio-remote-secret-west", UID: "seen"}}}
		alice, first, _ := runOf("alice@laptop/1", client)
		bob, second, _ := runOf("bob@ci/2", client)
		if _, err := alice.Do(t.Context(), plan.Step{Cluster: "east", Action: action}, first.say); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Minute, func() {
			if _, err := secrets.Create(t.Context(), secretWith("new"), metav1.CreateOptions{}); err != nil {
				t.Error(err)
			}
			alice.release(t.Context(), "west")
		})
		result, err := bob.Do(t.Context(), plan.Step{Cluster: "east", Action: action}, second.say)
		want := "0 deleted; istio-remote-secret-west was created again by another run, and stays, after waiting for alice@laptop/1"
		if err != nil || result.Wrote || result.Detail != want {
			t.Errorf("got %+v, %v", result, err)
		}
		if there, err := secrets.Get(t.Context(), "istio-remote-secret-west", metav1.GetOptions{}); err != nil || there.UID != "new" {
			t.Errorf("there is %v, %v", there, err)
		}
		bob.Release(t.Context())
	})
}

func TestForgottenOrCreatedAgain(t *testing.T) {
	t.Parallel()
	leaving := secretWith("seen")
	leaving.DeletionTimestamp = &metav1.Time{Time: time.Now()}
	leaving.Finalizers = []string{"example.com/slow"}
	for name, test := range map[string]struct {
		objects []runtime.Object
		knows   bool
		done    bool
		seen    string
		what    syncState
	}{
		"forgotten":                   {done: true, seen: "forgotten"},
		"not yet":                     {knows: true, seen: "istiod-1 still has it: synced", what: overdue},
		"not yet, the secret is slow": {objects: []runtime.Object{leaving}, knows: true, seen: "istiod-1 still has it: synced", what: overdue},
		"and back":                    {objects: []runtime.Object{secretWith("new")}, knows: true, done: true, seen: "its secret was created again by another run"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, w, _ := runOf("bob@ci/2", fake.NewClientset(test.objects...))
			look := e.orCreatedAgain(w.cluster, "west", func(context.Context) (bool, string, syncState, error) {
				views := []view{{pod: "istiod-1"}}
				if test.knows {
					views[0].status = "synced"
				}
				done, seen, what := forgotten(views)
				return done, seen, what, nil
			})
			if done, seen, what, err := look(t.Context()); done != test.done || seen != test.seen || what != test.what || err != nil {
				t.Errorf("done %v, seen %q, %v, %v", done, seen, what, err)
			}
		})
	}
}

// A write that --timeout ends is not taken for done.
func TestSecretOutOfTime(t *testing.T) {
	t.Parallel()
	e := executor("", "192.0.2.1")
	ended := fmt.Errorf("client rate limiter Wait returned an error: %w", context.DeadlineExceeded)
	e.Clusters["east"] = &cluster.Cluster{Name: "east", CLIClient: &edited{CLIClient: kube.NewFakeClient(secretWith("there")), fails: ended}}
	step := plan.Step{Cluster: "east", Action: plan.ApplyRemoteSecret{Remote: "west", Server: "https://west.example"}}
	result, err := e.Do(t.Context(), step, func(string) {})
	if !errors.Is(err, context.DeadlineExceeded) || result.Wrote {
		t.Errorf("got %+v, %v", result, err)
	}
}

// edited is a cluster whose remote secret somebody edits just before it is written for the first time: the line means the same,
// and kubectl edit manages it.
type edited struct {
	kube.CLIClient
	dynamic.ResourceInterface
	// fails is the error of every write, if there is one.
	fails   error
	written []string
}

// Dynamic implements kube.Client.
func (e *edited) Dynamic() dynamic.Interface { return e }

// Resource implements dynamic.Interface.
func (e *edited) Resource(schema.GroupVersionResource) dynamic.NamespaceableResourceInterface {
	return e
}

// Namespace implements dynamic.NamespaceableResourceInterface.
func (e *edited) Namespace(string) dynamic.ResourceInterface { return e }

// Get implements dynamic.ResourceInterface.
func (e *edited) Get(ctx context.Context, name string, options metav1.GetOptions, _ ...string) (*unstructured.Unstructured, error) {
	secret, err := e.Kube().CoreV1().Secrets("istio-system").Get(ctx, name, options)
	if err != nil {
		return nil, err
	}
	return istio.Unstructured(secret)
}

// Patch implements dynamic.ResourceInterface.
func (e *edited) Patch(ctx context.Context, name string, _ types.PatchType, body []byte, _ metav1.PatchOptions, _ ...string) (*unstructured.Unstructured, error) {
	if e.fails != nil {
		return nil, e.fails
	}
	var wanted corev1.Secret
	if err := json.Unmarshal(body, &wanted); err != nil {
		return nil, err
	}
	e.written = append(e.written, string(wanted.Data["west"]))
	if len(e.written) == 1 {
		theirs := wanted.DeepCopy()
		theirs.Data["west"] = append(theirs.Data["west"], '\n')
		if _, err := e.Kube().CoreV1().Secrets("istio-system").Update(ctx, theirs, metav1.UpdateOptions{}); err != nil {
			return nil, err
		}
		return nil, apierrors.NewApplyConflict(nil, `conflict with "kubectl-edit": .data.west`)
	}
	return e.Get(ctx, name, metav1.GetOptions{})
}

// An edit that comes between the look at a remote secret and its write is kept.
func TestEditedMeanwhile(t *testing.T) {
	t.Parallel()
	e := executor("", "192.0.2.1")
	_, objects, err := objectsOf(t, e, e.Clusters["east"], plan.ApplyRemoteSecret{Remote: "west", Server: "https://west.example"})
	if err != nil {
		t.Fatal(err)
	}
	var held corev1.Secret
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(objects[0].Object, &held); err != nil {
		t.Fatal(err)
	}
	client := &edited{CLIClient: kube.NewFakeClient(&held)}
	e.Clusters["east"] = &cluster.Cluster{Name: "east", CLIClient: client}
	step := plan.Step{Cluster: "east", Action: plan.ApplyRemoteSecret{Remote: "west", Server: "https://west.example"}}
	if _, err := e.Do(t.Context(), step, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if kubeconfig := string(held.Data["west"]); !slices.Equal(client.written, []string{kubeconfig, kubeconfig + "\n"}) {
		t.Errorf("written is %q", client.written)
	}
}
