package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
)

// Deleting is given up after this long: the cluster is then made anew, which takes some seconds more.
const clearTimeout = 30 * time.Second

// Reset takes clusters, or all if none is named, back to what they were after Up. If fresh is set they are made anew from
// nothing; else they are so only if deleting what is in them does not come to an end.
func (l *Lab) Reset(ctx context.Context, names []string, fresh bool) error {
	unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	current, err := l.read()
	if err != nil {
		return err
	}
	groups, err := findCgroups()
	if err != nil {
		return err
	}
	var chosen []cluster
	for _, each := range l.clusters(current) {
		if len(names) == 0 || slices.Contains(names, each.Name) {
			chosen = append(chosen, each)
		}
	}
	for _, name := range names {
		named, err := current.cluster(name)
		if err != nil {
			return err
		}
		named.LoadBalancer = LoadBalancerIP
	}
	if len(names) == 0 {
		for i := range current.Clusters {
			current.Clusters[i].LoadBalancer = LoadBalancerIP
		}
	}
	if err := current.write(l.dir()); err != nil {
		return err
	}
	if err := l.ensureServer(ctx, groups); err != nil {
		return err
	}
	anew := make([]bool, len(chosen))
	tasks, tasksContext := errgroup.WithContext(ctx)
	for i, each := range chosen {
		tasks.Go(func() error {
			if anew[i] = fresh; fresh {
				return nil
			}
			err := l.clear(tasksContext, groups, each)
			if err == nil || ctx.Err() != nil {
				return err
			}
			l.say("%s: %v; it is made anew", each.Name, err)
			anew[i] = true
			return nil
		})
	}
	if err := tasks.Wait(); err != nil {
		return err
	}
	return l.remake(ctx, groups, current, chosen, anew)
}

// clear deletes what a cluster did not have at first, and restores what has changed.
func (l *Lab) clear(ctx context.Context, groups cgroups, of cluster) error {
	begun := time.Now()
	first, err := of.baseline() // Before anything else, since a cluster that is started records one if it has none.
	if err != nil {
		return err
	}
	if err := l.startCluster(ctx, groups, of); err != nil {
		return err
	}
	c := clearing{cluster: of, first: first, begun: begun}
	if err := c.run(ctx); err != nil {
		return err
	}
	l.say("%s is reset, after %.1f s", of.Name, time.Since(begun).Seconds())
	return nil
}

// clearing is the work of emptying a cluster.
type clearing struct {
	cluster cluster
	first   map[string]object
	begun   time.Time
}

func (c clearing) run(ctx context.Context) error {
	resources, client, err := c.cluster.dynamic()
	if err != nil {
		return err
	}
	var left []object
	var failed error
	done := func(ctx context.Context) (bool, error) {
		left, failed = c.round(ctx, resources, client)
		return failed == nil && len(left) == 0, nil
	}
	err = wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, clearTimeout, true, done)
	if err == nil || ctx.Err() != nil {
		return err
	}
	names := make([]string, 0, len(left))
	for _, each := range left[:min(5, len(left))] {
		names = append(names, each.key())
	}
	return fmt.Errorf("after %v %d objects are left, such as %v: %w", clearTimeout, len(left), names, errors.Join(failed, err))
}

// round asks for the end of all that the cluster did not have at first, and returns it. When nothing of it is left the
// round restores the rest.
func (c clearing) round(ctx context.Context, resources discovery.DiscoveryInterface, client dynamic.Interface) ([]object, error) {
	all, err := everything(ctx, resources, client)
	if err != nil {
		return nil, err
	}
	var left []object
	for _, each := range all {
		if _, there := c.first[each.key()]; !there && !automatic(each) {
			left = append(left, each)
		}
	}
	if len(left) == 0 {
		return nil, c.restore(ctx, client, all)
	}
	return left, c.delete(ctx, client, left)
}

// automatic are objects that come by themselves wherever they lack.
func automatic(of object) bool {
	switch of.GetKind() {
	case "ConfigMap":
		return of.GetName() == "kube-root-ca.crt"
	case "ServiceAccount":
		return of.GetName() == "default"
	case "APIService":
		return of.GetLabels()["kube-aggregator.kubernetes.io/automanaged"] != ""
	case "Namespace":
		return slices.Contains([]string{"default", "kube-system", "kube-public", "kube-node-lease"}, of.GetName())
	}
	return false
}

// delete deletes objects: what could stand in the way of others first.
func (c clearing) delete(ctx context.Context, client dynamic.Interface, objects []object) error {
	var gates, rest []object
	for _, each := range objects {
		if gate(each.Resource.GroupResource()) {
			gates = append(gates, each)
		} else {
			rest = append(rest, each)
		}
	}
	for _, batch := range [][]object{gates, rest} {
		tasks, ctx := errgroup.WithContext(ctx)
		tasks.SetLimit(20)
		for _, each := range batch {
			tasks.Go(func() error { return c.deleteOne(ctx, client, each) })
		}
		if err := tasks.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// gate is whether a kind of object decides on calls about others.
func gate(resource schema.GroupResource) bool {
	return resource.Group == "admissionregistration.k8s.io" || resource.Group == "apiregistration.k8s.io"
}

func (c clearing) deleteOne(ctx context.Context, client dynamic.Interface, of object) error {
	at := of.interfaceOf(client)
	deleting := of.GetDeletionTimestamp() != nil
	pod := of.GetKind() == "Pod"
	if !deleting || pod {
		background := metav1.DeletePropagationBackground
		options := metav1.DeleteOptions{PropagationPolicy: &background}
		if pod {
			// Its containers have a second, unless the kubelet is of no help.
			grace := int64(1)
			if time.Since(c.begun) > clearTimeout/2 {
				grace = 0
			}
			options.GracePeriodSeconds = &grace
		}
		if err := at.Delete(ctx, of.GetName(), options); err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return fmt.Errorf("delete %s: %w", of.key(), err)
		}
	}
	// Nobody is there to do what a finalizer waits for, but for the API server's own of custom resources.
	if len(of.GetFinalizers()) == 0 || of.GetKind() == "CustomResourceDefinition" {
		return nil
	}
	_, err := at.Patch(ctx, of.GetName(), types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("take the finalizers off %s: %w", of.key(), err)
	}
	return nil
}

// restore takes the objects that a cluster had at first back to what they were.
func (c clearing) restore(ctx context.Context, client dynamic.Interface, all []object) error {
	now := map[string]object{}
	for _, each := range all {
		now[each.key()] = each
	}
	for key, first := range c.first {
		present, there := now[key]
		if !there {
			if err := create(ctx, client, first); err != nil {
				return err
			}
			continue
		}
		if wanted, changed := restored(present, first); changed {
			if _, err := present.interfaceOf(client).Update(ctx, wanted, metav1.UpdateOptions{}); err != nil {
				return fmt.Errorf("restore %s: %w", key, err)
			}
		}
	}
	return nil
}

func create(ctx context.Context, client dynamic.Interface, of object) error {
	anew := of.DeepCopy()
	for _, field := range []string{"resourceVersion", "uid", "creationTimestamp", "managedFields", "generation"} {
		unstructured.RemoveNestedField(anew.Object, "metadata", field)
	}
	_, err := of.interfaceOf(client).Create(ctx, anew, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create %s again: %w", of.key(), err)
	}
	return nil
}

// remake makes the chosen clusters anew that are to be, and tells the lab's server.
func (l *Lab) remake(ctx context.Context, groups cgroups, current state, chosen []cluster, anew []bool) error {
	atHub, err := l.space(hub).holder(groups)
	if err != nil {
		return err
	}
	var remade []cluster
	var names []string
	for i, each := range chosen {
		if !anew[i] {
			continue
		}
		remade, names = append(remade, each), append(names, each.Name)
		if err := l.space(each.Name).end(ctx, groups); err != nil {
			return fmt.Errorf("%s: %w", each.Name, err)
		}
		if _, err := l.ensureSpace(ctx, groups, atHub, each); err != nil {
			return fmt.Errorf("%s: %w", each.Name, err)
		}
	}
	if len(remade) > 0 {
		holders := map[string]int{}
		for _, each := range current.Clusters {
			if holders[each.Name], err = l.space(each.Name).holder(groups); err != nil {
				return err
			}
		}
		if err := connectNetworks(current.Number, atHub, current.Clusters, holders); err != nil {
			return err
		}
		err := eachCluster(ctx, remade, func(ctx context.Context, c cluster) error { return l.startCluster(ctx, groups, c) })
		if err != nil {
			return err
		}
	}
	return l.reload(ctx, names...)
}

// clearFolder removes all that a cluster has written but its certificates, which users' kubeconfigs go by, and its logs.
func (c cluster) clearFolder() error {
	entries, err := os.ReadDir(c.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() == "pki" || entry.Name() == "logs" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(c.dir, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}
