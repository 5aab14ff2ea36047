package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// Deleter removes what was applied as a set from one cluster.
type Deleter struct {
	Dynamic dynamic.Interface
	// Mapper finds the resources of the kinds that a set's record names.
	Mapper meta.RESTMapper
}

// Delete removes a set's members, and then the ConfigMap that records it, so that an interrupted run can be repeated. Members are
// found by their label among the kinds and namespaces of the record, and removed in the order opposite to the one in which
// they are applied. It returns how many objects it removed: none for a set that is not recorded. A record of somebody else's
// is an error.
func (d Deleter) Delete(ctx context.Context, set Set) (deleted int, err error) {
	records := d.Dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace(set.Namespace)
	record, err := records.Get(ctx, set.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("ConfigMap/%s in %s: %w", set.Name, set.Namespace, err)
	}
	if record.GetLabels()[SetIDLabel] != set.ID() || toolOf(record.GetAnnotations()[toolingAnnotation]) != toolOf(set.Tooling) {
		return 0, fmt.Errorf("ConfigMap/%s in %s is not the record of an ApplySet of %s's", set.Name, set.Namespace, toolOf(set.Tooling))
	}
	members, err := d.members(ctx, set, record)
	if err != nil {
		return 0, err
	}
	for _, group := range slices.Backward(inOrder(members)) {
		n, err := d.deleteGroup(ctx, group)
		if deleted += n; err != nil {
			return deleted, err
		}
	}
	n, err := d.deleteGroup(ctx, []*unstructured.Unstructured{record})
	return deleted + n, err
}

// toolOf is NAME of NAME/VERSION.
func toolOf(tooling string) string {
	name, _, _ := strings.Cut(tooling, "/")
	return name
}

// members are the objects with the set's label. A kind that the cluster no longer serves has none.
func (d Deleter) members(ctx context.Context, set Set, record *unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	namespaces := append(list(record.GetAnnotations()[namespaceAnnotation]), set.Namespace)
	var members []*unstructured.Unstructured
	for _, kind := range list(record.GetAnnotations()[kindsAnnotation]) {
		mapping, err := d.Mapper.RESTMapping(schema.ParseGroupKind(kind))
		if meta.IsNoMatchError(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s, which ConfigMap/%s in %s records: %w", kind, set.Name, set.Namespace, err)
		}
		scopes := namespaces
		if mapping.Scope.Name() == meta.RESTScopeNameRoot {
			scopes = []string{metav1.NamespaceNone}
		}
		for _, namespace := range scopes {
			found, err := d.Dynamic.Resource(mapping.Resource).Namespace(namespace).List(ctx, metav1.ListOptions{LabelSelector: partOfLabel + "=" + set.ID()})
			if err != nil {
				return nil, fmt.Errorf("the objects of kind %s in ApplySet %s: %w", kind, set.Name, err)
			}
			for i := range found.Items {
				members = append(members, &found.Items[i])
			}
		}
	}
	return members, nil
}

// list splits a list of the record's at its commas.
func list(text string) []string {
	return slices.DeleteFunc(strings.Split(text, ","), func(s string) bool { return s == "" })
}

// deleteGroup removes objects at once: those that were read, not ones that others have created since under the same names.
func (d Deleter) deleteGroup(ctx context.Context, objects []*unstructured.Unstructured) (deleted int, err error) {
	failed, gone := make([]error, len(objects)), make([]bool, len(objects))
	var workers errgroup.Group
	workers.SetLimit(maxParallel)
	for i, object := range objects {
		workers.Go(func() error {
			gone[i], failed[i] = d.deleteOne(ctx, object)
			return nil
		})
	}
	_ = workers.Wait() // they return none
	for _, was := range gone {
		if was {
			deleted++
		}
	}
	failed = slices.DeleteFunc(failed, func(err error) bool { return err == nil })
	slices.SortFunc(failed, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return deleted, errors.Join(failed...)
}

func (d Deleter) deleteOne(ctx context.Context, object *unstructured.Unstructured) (bool, error) {
	gvk := object.GroupVersionKind()
	mapping, err := d.Mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return false, fmt.Errorf("%s: %w", Name(object), err)
	}
	uid := object.GetUID()
	err = d.Dynamic.Resource(mapping.Resource).Namespace(object.GetNamespace()).Delete(ctx, object.GetName(), metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: new(metav1.DeletePropagationBackground),
	})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // it is deleted already, or has been created again
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", Name(object), err)
	}
	return true, nil
}
