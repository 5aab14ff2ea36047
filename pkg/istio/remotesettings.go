package istio

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"istio.io/istio/operator/pkg/values"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// ofPrimary are the settings that count in the primary alone: istiod's own, and those of the proxies, which istiod's
// injector and istiod itself give to the pods of all clusters.
func ofPrimary() []string {
	return []string{
		"hub", "tag", "meshConfig", "values.meshConfig", "values.global.hub", "values.global.tag", "values.global.proxy",
		"values.global.proxy_init", "values.global.logging", "values.global.tracer", "values.global.meshNetworks", "values.pilot",
		"values.telemetry", "components.pilot.k8s",
	}
}

// ValidateRemote refuses settings that count in the primary alone: in a remote they would be taken and do nothing. What
// does something is seen by rendering, so that a remote with an injector of its own, say, can be given its settings.
func (c Charts) ValidateRemote() error {
	user, err := c.merged(nil)
	if err != nil {
		return err
	}
	given := slices.DeleteFunc(ofPrimary(), func(path string) bool {
		_, found := user.GetPath("spec." + path)
		return !found
	})
	if len(given) == 0 {
		return nil
	}
	with, err := c.remoteOf(user)
	if err != nil {
		return err
	}
	var idle []string
	for _, path := range given {
		rest := user.DeepClone()
		unstructured.RemoveNestedField(rest, strings.Split("spec."+path, ".")...)
		without, err := c.remoteOf(rest)
		if err != nil || !equality.Semantic.DeepEqual(with, without) {
			continue
		}
		idle = append(idle, slices.DeleteFunc(leaves(user), func(leaf string) bool { return !below(leaf, path) })...)
	}
	if len(idle) > 0 {
		return fmt.Errorf("in a remote these settings do nothing, since the primary's count: %s. Give them to install-primary", strings.Join(idle, ", "))
	}
	return nil
}

// remoteOf renders some remote with settings; without the ConfigMap that repeats all settings and that no part of Istio
// reads in a remote.
func (c Charts) remoteOf(settings values.Map) ([]*unstructured.Unstructured, error) {
	objects, err := Charts{Dir: c.Dir, over: settings}.Remote(RemoteCluster{
		Namespace: "istio-system", MeshID: "mesh1", Cluster: "remote", Network: "network1", Address: "192.0.2.1", DefaultTag: true,
	})
	return slices.DeleteFunc(objects, func(o *unstructured.Unstructured) bool {
		_, repeats := wellknown.ValuesOf(o.GetName())
		return repeats && o.GetKind() == "ConfigMap"
	}), err
}
