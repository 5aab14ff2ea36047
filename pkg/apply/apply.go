// Package apply writes objects with server-side apply, and says of each whether it was created, changed or left as it
// was. It knows nothing of Istio.
package apply

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// maxParallel bounds the requests that one Apply has under way.
const maxParallel = 16

// Resources finds the API resource of an object. Istio's CLI client has a method of this form that needs no discovery
// for the kinds that it knows.
type Resources func(gvk schema.GroupVersionKind, object *unstructured.Unstructured, namespace string) (dynamic.ResourceInterface, error)

// Applier writes objects to one cluster.
type Applier struct {
	// Resources finds the API resource of an object.
	Resources Resources
	// FieldManager owns the fields that are written.
	FieldManager string
	// ForceConflicts takes fields over from other managers.
	ForceConflicts bool
	// Yield leaves out of an object, before it is written, what a controller in the cluster has taken over since; it
	// gets the wanted and the live object. Nil yields nothing.
	Yield func(wanted, live *unstructured.Unstructured)
	// Live are objects as they were read just now, by those that are to be applied: they are not read again before. Nil is for
	// one that is not there.
	Live map[*unstructured.Unstructured]*unstructured.Unstructured
	// DryRun keeps nothing of what is applied.
	DryRun DryRun
	// Done, if set, is called with the result for each object that was applied, concurrently.
	Done func(Result)
}

// Outcome counts what an Apply did.
type Outcome struct {
	Created, Changed, Unchanged int
}

// Wrote is true when anything was written.
func (o Outcome) Wrote() bool { return o.Created+o.Changed > 0 }

// String says it as in `3 created, 1 changed`, or `unchanged`.
func (o Outcome) String() string {
	switch {
	case o.Created > 0 && o.Changed > 0:
		return fmt.Sprintf("%d created, %d changed", o.Created, o.Changed)
	case o.Created > 0:
		return fmt.Sprintf("%d created", o.Created)
	case o.Changed > 0:
		return fmt.Sprintf("%d changed", o.Changed)
	}
	return "unchanged"
}

// Add sums two outcomes.
func (o Outcome) Add(p Outcome) Outcome {
	return Outcome{Created: o.Created + p.Created, Changed: o.Changed + p.Changed, Unchanged: o.Unchanged + p.Unchanged}
}

// Apply writes the objects: the parents of ApplySets before their members, and what others live in or are made of
// (namespaces, custom resource definitions, accounts and roles) before the rest, each group at once. It stops at the first
// group with an error and returns all errors of that group. An object that is already as wanted is not written: the API
// server keeps its resourceVersion.
func (a Applier) Apply(ctx context.Context, objects []*unstructured.Unstructured) (Outcome, error) {
	var total Outcome
	first := a.readAhead(ctx, objects)
	for _, group := range inOrder(objects) {
		outcome, err := a.applyGroup(ctx, group, first)
		total = total.Add(outcome)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (a Applier) applyGroup(ctx context.Context, objects []*unstructured.Unstructured, first readings) (Outcome, error) {
	var (
		mu      sync.Mutex
		total   Outcome
		failed  []error
		workers errgroup.Group
	)
	workers.SetLimit(maxParallel)
	for _, object := range objects {
		workers.Go(func() error {
			outcome, err := a.applyOne(ctx, object, first[object])
			mu.Lock()
			defer mu.Unlock()
			total = total.Add(outcome)
			if err != nil {
				failed = append(failed, err)
			}
			return nil
		})
	}
	if err := workers.Wait(); err != nil {
		return total, err
	}
	slices.SortFunc(failed, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return total, errors.Join(failed...)
}

// maxConflicts bounds how often an object is read again because of a conflict.
const maxConflicts = 5

func (a Applier) applyOne(ctx context.Context, object *unstructured.Unstructured, first *reading) (Outcome, error) {
	resource, err := a.Resources(object.GroupVersionKind(), object, "")
	if err != nil {
		return Outcome{}, fmt.Errorf("%s: %w", Name(object), err)
	}
	var refused *unstructured.Unstructured
	var conflict error
	for range maxConflicts {
		if first == nil {
			live, err := read(ctx, resource, object.GetName())
			if err != nil {
				return Outcome{}, fmt.Errorf("%s: %w", Name(object), err)
			}
			first = &reading{live}
		}
		live := first.live
		first = nil // the next time, somebody has changed it
		wanted := a.toApply(object, live)
		if equality.Semantic.DeepEqual(wanted, refused) {
			break
		}
		result, err := a.applyTo(ctx, resource, live, wanted)
		switch {
		case apierrors.IsConflict(err): // a controller may have taken a field over meanwhile, which is then left to it
			refused, conflict = wanted, err
			continue
		case err != nil:
			return Outcome{}, explain(object, err)
		}
		if a.Done != nil {
			a.Done(result)
		}
		return result.count(), nil
	}
	return Outcome{}, explain(object, conflict)
}

// reading is an object as it is in the cluster; nil where it is not there.
type reading struct{ live *unstructured.Unstructured }

// readings are those of objects that are to be applied.
type readings map[*unstructured.Unstructured]*reading

// readAhead reads objects at once, whatever group they are in. It leaves out those that can't be read, and all where conflicts are
// forced: what a controller takes over between the reading and the writing must show as a conflict then.
func (a Applier) readAhead(ctx context.Context, objects []*unstructured.Unstructured) readings {
	if a.ForceConflicts {
		return nil
	}
	var (
		mu      sync.Mutex
		all     = readings{}
		workers errgroup.Group
	)
	workers.SetLimit(maxParallel)
	for _, object := range objects {
		if live, known := a.Live[object]; known {
			mu.Lock()
			all[object] = &reading{live}
			mu.Unlock()
			continue
		}
		workers.Go(func() error {
			resource, err := a.Resources(object.GroupVersionKind(), object, "")
			if err != nil {
				return nil // the error is reported where the object is applied
			}
			if live, err := read(ctx, resource, object.GetName()); err == nil {
				mu.Lock()
				defer mu.Unlock()
				all[object] = &reading{live}
			}
			return nil
		})
	}
	_ = workers.Wait() // none has an error
	return all
}

// read returns an object as it is in the cluster; nil where it, or its kind, is not there.
func read(ctx context.Context, resource dynamic.ResourceInterface, name string) (*unstructured.Unstructured, error) {
	live, err := resource.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil //nolint:nilnil // no object, and no error
	}
	return live, err
}

// applyTo applies what is wanted of an object to the live one.
func (a Applier) applyTo(ctx context.Context, resource dynamic.ResourceInterface, live, wanted *unstructured.Unstructured) (Result, error) {
	result := Result{Wanted: wanted, Live: live}
	switch {
	case live != nil && existenceOnly(wanted):
		result.Now, result.Verb = live, Unchanged
		return result, nil
	case a.DryRun == DryRunClient:
		result.predict()
		return result, nil
	}
	var err error
	result.Now, err = a.write(ctx, resource, wanted, live)
	switch {
	case err == nil:
		result.compare(a.DryRun)
	case a.DryRun == DryRunServer && live == nil && apierrors.IsNotFound(err):
		result.predict() // what it would live in, or be defined by, would have been made before
	default:
		return result, err
	}
	return result, nil
}

// toApply is what is to be applied of an object where this one is live.
func (a Applier) toApply(wanted, live *unstructured.Unstructured) *unstructured.Unstructured {
	if live == nil {
		return wanted
	}
	wanted = wanted.DeepCopy()
	if isParent(wanted) {
		keepLists(wanted, live)
	}
	if a.Yield != nil {
		a.Yield(wanted, live)
	}
	return wanted
}

func (a Applier) write(ctx context.Context, resource dynamic.ResourceInterface, wanted, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	retargeted, err := a.retarget(ctx, resource, wanted, live)
	if err != nil || retargeted != nil && a.DryRun == DryRunServer {
		return retargeted, err
	}
	return a.patch(ctx, resource, wanted)
}

func (a Applier) patch(ctx context.Context, resource dynamic.ResourceInterface, wanted *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	body, err := json.Marshal(wanted)
	if err != nil {
		return nil, err
	}
	options := metav1.PatchOptions{
		FieldManager: a.FieldManager, Force: &a.ForceConflicts,
		// Server-side apply itself refuses fields that the schema does not have; to have them validated, too, makes the
		// API server parse every object twice.
		FieldValidation: metav1.FieldValidationIgnore,
	}
	if a.DryRun == DryRunServer {
		options.DryRun = []string{metav1.DryRunAll}
	}
	return resource.Patch(ctx, wanted.GetName(), types.ApplyPatchType, body, options)
}

// existenceOnly is true for an object of which nothing but its existence is wanted. Applying it to one that is there would own
// nothing, and yet be written once: the API server then first notes who had made it.
func existenceOnly(object *unstructured.Unstructured) bool {
	identity := &unstructured.Unstructured{Object: map[string]any{}}
	identity.SetGroupVersionKind(object.GroupVersionKind())
	identity.SetName(object.GetName())
	if namespace := object.GetNamespace(); namespace != "" {
		identity.SetNamespace(namespace)
	}
	return equality.Semantic.DeepEqual(identity.Object, object.Object)
}

// explain adds to an API error the name of the object and, for some, what the user can do.
func explain(object *unstructured.Unstructured, err error) error {
	if apierrors.IsConflict(err) {
		return fmt.Errorf("%s is also managed by somebody else: %w\nrun again with --force-conflicts to take these fields over",
			Name(object), err)
	}
	if apierrors.IsForbidden(err) && strings.Contains(err.Error(), "not currently held") {
		return fmt.Errorf("%s: %w\nnobody may grant what they do not hold: have an administrator give you these permissions, or the verbs escalate and bind on this role (docs/rbac)",
			Name(object), err)
	}
	return fmt.Errorf("%s: %w", Name(object), err)
}

// Name is how a person names an object: kind/name, with the namespace where it has one.
func Name(object *unstructured.Unstructured) string {
	name := object.GetKind() + "/" + object.GetName()
	if object.GetNamespace() != "" {
		name += " in " + object.GetNamespace()
	}
	return name
}

// inOrder sorts objects into the groups in which they are written.
func inOrder(objects []*unstructured.Unstructured) [][]*unstructured.Unstructured {
	groups := map[int][]*unstructured.Unstructured{}
	for _, object := range objects {
		i := groupOf(object)
		groups[i] = append(groups[i], object)
	}
	var ordered [][]*unstructured.Unstructured
	for _, i := range slices.Sorted(maps.Keys(groups)) {
		ordered = append(ordered, groups[i])
	}
	return ordered
}

// groupOf is the group in which an object is written: the lower ones first.
func groupOf(object *unstructured.Unstructured) int {
	switch {
	case object.GetKind() == "Namespace" && !isMember(object): // a parent may live in it
		return 0
	case isParent(object): // a run that is killed must not leave members without a parent (KEP-3659)
		return 1
	}
	return 2 + Rank(object)
}

// Rank sorts objects as they can be written by any tool: the lower ones first. It is in the names of files, so it stays.
func Rank(object *unstructured.Unstructured) int {
	switch object.GetKind() {
	case "Namespace":
		return 0
	case "CustomResourceDefinition", "ServiceAccount", "ClusterRole", "Role", "ConfigMap", "Service", "EndpointSlice":
		return 1
	}
	// Secrets are among the last: the token controller removes an account's token when it does not find the account. So
	// are bindings: the API server reads the role to see whether the user may grant what it grants.
	return 2
}
