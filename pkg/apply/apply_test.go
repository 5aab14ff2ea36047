package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

func object(kind, namespace, name string) *unstructured.Unstructured {
	metadata := map[string]any{"name": name}
	if namespace != "" {
		metadata["namespace"] = namespace
	}
	version := "v1"
	if kind == "Deployment" {
		version = "apps/v1"
	}
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": version, "kind": kind, "metadata": metadata}}
}

func labelled(name string) *unstructured.Unstructured {
	o := object("ConfigMap", "ns", name)
	o.SetLabels(map[string]string{"a": "b"})
	return o
}

// server is an API server that knows live objects by name and notes what is written.
type server struct {
	live   map[string]string // resourceVersion by name
	writes map[string]string // resourceVersion after a write
	fails  map[string]error
	// objects are live ones of which more than the resourceVersion matters.
	objects map[string]*unstructured.Unstructured
	// conflicts is called for each write, and may change what is live; nil is no conflict.
	conflicts func(s *server, name string) error

	mu sync.Mutex
	// calls are "get NAME" and "patch NAME".
	calls   []string
	written []string
	options metav1.PatchOptions
	bodies  map[string]string
}

func (s *server) applier() Applier {
	return Applier{FieldManager: "tester", Resources: func(_ schema.GroupVersionKind, o *unstructured.Unstructured, _ string) (dynamic.ResourceInterface, error) {
		if o.GetKind() == "Unheard" {
			return nil, errors.New("no such kind")
		}
		return resource{server: s}, nil
	}}
}

// resource answers the two calls that applying makes; any other would be a surprise, and panics.
type resource struct {
	dynamic.ResourceInterface
	server *server
}

func (r resource) Get(_ context.Context, name string, _ metav1.GetOptions, _ ...string) (*unstructured.Unstructured, error) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	r.server.calls = append(r.server.calls, "get "+name)
	version, there := r.server.live[name]
	if !there {
		return nil, apierrors.NewNotFound(schema.GroupResource{}, name)
	}
	o := object("Live", "", name)
	if r.server.objects[name] != nil {
		o = r.server.objects[name].DeepCopy()
	}
	o.SetResourceVersion(version)
	return o, nil
}

func (r resource) Patch(_ context.Context, name string, kind types.PatchType, data []byte, options metav1.PatchOptions, _ ...string) (*unstructured.Unstructured, error) {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, "patch "+name)
	if err := s.fails[name]; err != nil {
		return nil, err
	}
	if kind != types.ApplyPatchType {
		return nil, fmt.Errorf("a patch of type %s", kind)
	}
	s.written, s.options = append(s.written, name), options
	if s.bodies == nil {
		s.bodies = map[string]string{}
	}
	s.bodies[name] = string(data)
	if s.conflicts != nil {
		if err := s.conflicts(s, name); err != nil {
			return nil, err
		}
	}
	o := object("Live", "", name)
	o.SetResourceVersion(s.writes[name])
	return o, nil
}

func TestApplyCounts(t *testing.T) {
	t.Parallel()
	s := &server{
		live:   map[string]string{"changed": "1", "same": "7", "bare": "9"},
		writes: map[string]string{"new": "2", "changed": "3", "same": "7", "bare-new": "1"},
	}
	outcome, err := s.applier().Apply(t.Context(), []*unstructured.Unstructured{
		labelled("new"), labelled("changed"), labelled("same"), object("ConfigMap", "ns", "bare"), object("ConfigMap", "ns", "bare-new"),
	})
	if want := (Outcome{Created: 2, Changed: 1, Unchanged: 2}); err != nil || outcome != want {
		t.Errorf("got %#v, %v; want %#v", outcome, err, want)
	}
	// Of one that is there nothing was wanted but that it is there.
	if slices.Contains(s.written, "bare") {
		t.Errorf("written were %v", s.written)
	}
	if s.options.FieldManager != "tester" || s.options.Force == nil || *s.options.Force {
		t.Errorf("it was written with %+v", s.options)
	}
}

func TestForceConflicts(t *testing.T) {
	t.Parallel()
	s := &server{}
	a := s.applier()
	a.ForceConflicts = true
	if _, err := a.Apply(t.Context(), []*unstructured.Unstructured{object("ConfigMap", "ns", "a")}); err != nil || !*s.options.Force {
		t.Errorf("it was written with %+v (%v)", s.options, err)
	}
}

// Everything is read before anything is written, and what the caller has read is not read again; where conflicts are forced,
// each object is read right before it is written.
func TestReadAhead(t *testing.T) {
	t.Parallel()
	account, secret, known, absent := object("ServiceAccount", "ns", "account"), object("Secret", "ns", "secret"), labelled("known"), labelled("absent")
	for _, test := range []struct {
		force bool
		want  []string
	}{
		{false, []string{"get account", "get secret", "patch absent", "patch account", "patch known", "patch secret"}},
		{true, []string{"get absent", "get account", "get known", "patch absent", "patch account", "patch known", "get secret", "patch secret"}},
	} {
		s := &server{live: map[string]string{"account": "1", "secret": "1", "known": "1"}, writes: map[string]string{"known": "1", "absent": "1"}}
		account.SetLabels(map[string]string{"a": "b"})
		secret.SetLabels(map[string]string{"a": "b"})
		a := s.applier()
		a.ForceConflicts = test.force
		live := known.DeepCopy()
		live.SetResourceVersion("1")
		a.Live = map[*unstructured.Unstructured]*unstructured.Unstructured{known: live, absent: nil}
		outcome, err := a.Apply(t.Context(), []*unstructured.Unstructured{account, secret, known, absent})
		if want := (Outcome{Created: 1, Changed: 2, Unchanged: 1}); err != nil || outcome != want {
			t.Errorf("got %#v, %v; want %#v", outcome, err, want)
		}
		// Those of a group come in any order, and each of them is read before it is written.
		first := slices.Index(s.calls, "patch secret")
		if test.force {
			first = slices.Index(s.calls, "get secret")
		}
		slices.Sort(s.calls[:first])
		if !slices.Equal(s.calls, test.want) {
			t.Errorf("conflicts forced: %t: calls are %q, want %q", test.force, s.calls, test.want)
		}
	}
}

// What others live in or are made of is there before them.
func TestApplyInOrder(t *testing.T) {
	t.Parallel()
	s := &server{}
	objects := []*unstructured.Unstructured{
		object("Deployment", "ns", "istiod"), object("Secret", "ns", "token"), object("MutatingWebhookConfiguration", "", "injector"),
		object("ServiceAccount", "ns", "account"), object("CustomResourceDefinition", "", "crd"), object("Namespace", "", "ns"),
		object("ConfigMap", "ns", "config"), object("Service", "ns", "service"),
	}
	if _, err := s.applier().Apply(t.Context(), objects); err != nil {
		t.Fatal(err)
	}
	group := func(name string) int {
		return slices.IndexFunc([][]string{{"ns"}, {"account", "crd", "config", "service"}, {"istiod", "token", "injector"}},
			func(names []string) bool { return slices.Contains(names, name) })
	}
	if len(s.written) != len(objects) {
		t.Errorf("written were %v", s.written)
	}
	for i := 1; i < len(s.written); i++ {
		if group(s.written[i-1]) > group(s.written[i]) {
			t.Errorf("%s is written before %s in %v", s.written[i-1], s.written[i], s.written)
		}
	}
}

// A group with an error is the last. All of its errors are returned, and what was written is counted.
func TestApplyStopsAfterAGroupWithErrors(t *testing.T) {
	t.Parallel()
	s := &server{fails: map[string]error{
		"b": apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "b", errors.New("no")), "a": errors.New("refused"),
	}}
	outcome, err := s.applier().Apply(t.Context(), []*unstructured.Unstructured{
		object("ConfigMap", "ns", "b"), object("ConfigMap", "ns", "c"), object("ConfigMap", "ns", "a"), object("Deployment", "ns", "late"),
	})
	if outcome != (Outcome{Created: 1}) || !slices.Equal(s.written, []string{"c"}) {
		t.Errorf("written were %v, which counts as %#v", s.written, outcome)
	}
	want := "ConfigMap/a in ns: refused\nConfigMap/b in ns: configmaps \"b\" is forbidden: no"
	if err == nil || err.Error() != want {
		t.Errorf("it says\n%v\nwant\n%s", err, want)
	}
	if !apierrors.IsForbidden(errors.Unwrap(joined(err)[1])) {
		t.Error("the API server's own error is lost")
	}
}

func joined(err error) []error {
	if many, is := err.(interface{ Unwrap() []error }); is {
		return many.Unwrap()
	}
	return []error{err, err}
}

func TestApplyUnknownKind(t *testing.T) {
	t.Parallel()
	_, err := (&server{}).applier().Apply(t.Context(), []*unstructured.Unstructured{object("Unheard", "", "x")})
	if err == nil || err.Error() != "Unheard/x: no such kind" {
		t.Errorf("got %v", err)
	}
}

// What a controller has taken over is left out of what is written, and the caller's object stays whole.
func TestYield(t *testing.T) {
	t.Parallel()
	s := &server{live: map[string]string{"taken": "1"}, writes: map[string]string{"taken": "1", "new": "1"}}
	a := s.applier()
	a.Yield = func(wanted, live *unstructured.Unstructured) {
		if live.GetResourceVersion() != "1" {
			t.Errorf("the live object is %v", live)
		}
		delete(wanted.Object, "data")
	}
	taken, fresh := object("ConfigMap", "ns", "taken"), object("ConfigMap", "ns", "new")
	taken.Object["data"], fresh.Object["data"] = map[string]any{"k": "v"}, map[string]any{"k": "v"}
	if _, err := a.Apply(t.Context(), []*unstructured.Unstructured{taken, fresh}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(s.bodies["taken"], "data") || !strings.Contains(s.bodies["new"], "data") {
		t.Errorf("written were %v", s.bodies)
	}
	if taken.Object["data"] == nil {
		t.Error("the caller's object has lost its data")
	}
}

// A field that a controller takes over between the read and the write is left to it as well.
func TestYieldOnConflict(t *testing.T) {
	t.Parallel()
	conflict := apierrors.NewApplyConflict(nil, `conflict with "pilot-discovery": .data`)
	taken := func(s *server) { s.objects["webhook"].Object["data"] = map[string]any{"k": "theirs"} }
	for _, test := range []struct {
		name      string
		conflicts func(s *server, attempt int) error
		attempts  int
		fails     bool
	}{
		{"none", func(*server, int) error { return nil }, 1, false},
		{"a field that is yielded then", func(s *server, attempt int) error {
			if attempt > 1 {
				return nil
			}
			taken(s)
			return conflict
		}, 2, false},
		{"a field that is not", func(*server, int) error { return conflict }, 1, true},
		{"another one, after that", func(s *server, _ int) error { taken(s); return conflict }, 2, true},
		{"one field after the other, without end", func(s *server, attempt int) error {
			s.objects["webhook"].Object["data"] = map[string]any{"k": fmt.Sprint(attempt)}
			return conflict
		}, maxConflicts, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			attempts := 0
			s := &server{live: map[string]string{"webhook": "1"}, writes: map[string]string{"webhook": "2"}, objects: map[string]*unstructured.Unstructured{"webhook": object("ConfigMap", "ns", "webhook")}}
			s.conflicts = func(s *server, _ string) error { attempts++; return test.conflicts(s, attempts) }
			a := s.applier()
			a.Yield = func(wanted, live *unstructured.Unstructured) {
				if live.Object["data"] != nil {
					wanted.Object["data"] = map[string]any{"left to": live.Object["data"]}
				}
			}
			wanted := labelled("webhook")
			wanted.Object["data"] = map[string]any{"k": "ours"}
			outcome, err := a.Apply(t.Context(), []*unstructured.Unstructured{wanted})
			if apierrors.IsConflict(err) != test.fails || err != nil && !test.fails || attempts != test.attempts || outcome.Wrote() == test.fails {
				t.Errorf("after %d attempts %s, %v", attempts, outcome, err)
			}
		})
	}
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]Outcome{
		"unchanged": {Unchanged: 5}, "3 created": {Created: 3, Unchanged: 2}, "1 changed": {Changed: 1}, "3 created, 1 changed": {Created: 3, Changed: 1},
	} {
		if o.String() != want || o.Wrote() != (want != "unchanged") {
			t.Errorf("%#v is %q, wrote %v", o, o, o.Wrote())
		}
	}
	if (Outcome{}).String() != "unchanged" {
		t.Error("nothing is a change")
	}
	if sum := (Outcome{1, 2, 3}).Add(Outcome{10, 20, 30}); sum != (Outcome{11, 22, 33}) {
		t.Errorf("the sum is %#v", sum)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	conflict := apierrors.NewConflict(schema.GroupResource{Group: "apps", Resource: "deployments"}, "istiod",
		errors.New(`conflict with "helm": .spec.replicas`))
	err := explain(object("Deployment", "istio-system", "istiod"), conflict)
	want := `Deployment/istiod in istio-system is also managed by somebody else: Operation cannot be fulfilled on deployments.apps "istiod": conflict with "helm": .spec.replicas` +
		"\nrun again with --force-conflicts to take these fields over"
	if err.Error() != want || !apierrors.IsConflict(err) {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if err := explain(object("ClusterRole", "", "r"), errors.New("timeout")); err.Error() != "ClusterRole/r: timeout" {
		t.Errorf("got %v", err)
	}
}
