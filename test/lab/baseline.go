package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
)

// object is an object of a cluster, with the resource it is one of.
type object struct {
	Resource   schema.GroupVersionResource
	Namespaced bool
	*unstructured.Unstructured
}

// key tells an object from all others, in whatever version it is read.
func (o object) key() string {
	return fmt.Sprintf("%s/%s/%s", o.Resource.GroupResource(), o.GetNamespace(), o.GetName())
}

func (o object) interfaceOf(client dynamic.Interface) dynamic.ResourceInterface {
	if o.Namespaced {
		return client.Resource(o.Resource).Namespace(o.GetNamespace())
	}
	return client.Resource(o.Resource)
}

// unwatched are the resources whose objects the cluster keeps for itself: they come and go, or follow others.
func unwatched() map[string]bool {
	return map[string]bool{
		"componentstatuses":               true,
		"events":                          true,
		"events.events.k8s.io":            true,
		"endpoints":                       true,
		"endpointslices.discovery.k8s.io": true,
		"leases.coordination.k8s.io":      true,
		"csinodes.storage.k8s.io":         true,
		"ipaddresses.networking.k8s.io":   true,
	}
}

// everything lists the objects of a cluster, of whatever kind.
func everything(ctx context.Context, resources discovery.DiscoveryInterface, client dynamic.Interface) ([]object, error) {
	groups, err := resources.ServerPreferredResources()
	// A group whose own API server does not answer is gone when its APIService is.
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return nil, fmt.Errorf("list the kinds of objects: %w", err)
	}
	lists := make(chan []object)
	tasks, ctx := errgroup.WithContext(ctx)
	for _, group := range groups {
		version, err := schema.ParseGroupVersion(group.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, each := range group.APIResources {
			resource := version.WithResource(each.Name)
			if unwatched()[resource.GroupResource().String()] || !slices.Contains(each.Verbs, "list") || !slices.Contains(each.Verbs, "delete") {
				continue
			}
			tasks.Go(func() error {
				list, err := client.Resource(resource).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
				if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
					return nil // Its definition has just been deleted.
				}
				if err != nil {
					return fmt.Errorf("list %s: %w", resource.GroupResource(), err)
				}
				found := make([]object, 0, len(list.Items))
				for i := range list.Items {
					found = append(found, object{Resource: resource, Namespaced: each.Namespaced, Unstructured: &list.Items[i]})
				}
				select {
				case lists <- found:
				case <-ctx.Done():
				}
				return nil
			})
		}
	}
	var failed error
	go func() {
		failed = tasks.Wait()
		close(lists)
	}()
	var all []object
	for list := range lists {
		all = append(all, list...)
	}
	return all, failed
}

func (c cluster) baselineFile() string { return filepath.Join(c.dir, "baseline.json") }

// recordBaseline writes down what a cluster has at first, unless it has been done.
func (c cluster) recordBaseline(ctx context.Context) error {
	if _, err := os.Stat(c.baselineFile()); err == nil {
		return nil
	}
	resources, client, err := c.dynamic()
	if err != nil {
		return err
	}
	objects, err := everything(ctx, resources, client)
	if err != nil {
		return err
	}
	raw, err := marshalObjects(objects)
	if err != nil {
		return err
	}
	return writeFile(c.baselineFile(), raw, 0o600)
}

// record is an object as it is written down. An object itself would be written as Unstructured's methods have it, without
// its resource.
type record struct {
	Resource   schema.GroupVersionResource
	Namespaced bool
	Object     *unstructured.Unstructured
}

func marshalObjects(objects []object) ([]byte, error) {
	records := make([]record, 0, len(objects))
	for _, each := range objects {
		records = append(records, record{each.Resource, each.Namespaced, each.Unstructured})
	}
	return json.Marshal(records)
}

// unmarshalObjects returns what marshalObjects has written, by key.
func unmarshalObjects(raw []byte) (map[string]object, error) {
	var records []record
	if err := json.Unmarshal(raw, &records); err != nil {
		return nil, err
	}
	byKey := map[string]object{}
	for _, each := range records {
		if each.Resource.Resource == "" || each.Object == nil {
			return nil, errors.New("it is not a list of objects with their resources")
		}
		of := object{each.Resource, each.Namespaced, each.Object}
		byKey[of.key()] = of
	}
	return byKey, nil
}

// baseline returns what the cluster had at first, by key.
func (c cluster) baseline() (map[string]object, error) {
	raw, err := os.ReadFile(c.baselineFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s was never ready, so what it had at first is not known: lab up", c.Name)
	} else if err != nil {
		return nil, err
	}
	byKey, err := unmarshalObjects(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.baselineFile(), err)
	}
	return byKey, nil
}

func (c cluster) dynamic() (discovery.DiscoveryInterface, dynamic.Interface, error) {
	config, err := c.client()
	if err != nil {
		return nil, nil, err
	}
	resources, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, nil, err
	}
	client, err := dynamic.NewForConfig(config)
	return resources, client, err
}

// restored returns an object as it was at first, or false when it is so.
func restored(now, first object) (*unstructured.Unstructured, bool) {
	wanted := now.DeepCopy()
	wanted.SetLabels(first.GetLabels())
	if now.GetKind() == "Node" {
		// The rest of a node is its kubelet's.
		for _, field := range []string{"taints", "unschedulable"} {
			value, found, err := unstructured.NestedFieldCopy(first.Object, "spec", field)
			if err == nil && found {
				err = unstructured.SetNestedField(wanted.Object, value, "spec", field)
			} else {
				unstructured.RemoveNestedField(wanted.Object, "spec", field)
			}
			if err != nil {
				return nil, false
			}
		}
		return wanted, !equality.Semantic.DeepEqual(wanted.Object, now.Object)
	}
	wanted.SetAnnotations(first.GetAnnotations())
	for field := range maps.Keys(now.Object) {
		if !kept(field) {
			delete(wanted.Object, field)
		}
	}
	for field, value := range first.Object {
		if !kept(field) {
			wanted.Object[field] = value
		}
	}
	return wanted, !equality.Semantic.DeepEqual(wanted.Object, now.Object)
}

// kept are the fields that are not the user's to set.
func kept(field string) bool {
	return field == "metadata" || field == "status" || field == "apiVersion" || field == "kind"
}
