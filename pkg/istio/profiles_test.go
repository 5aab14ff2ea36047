package istio

import (
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

func must(t *testing.T) func([]*unstructured.Unstructured, error) []*unstructured.Unstructured {
	t.Helper()
	return func(objects []*unstructured.Unstructured, err error) []*unstructured.Unstructured {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return objects
	}
}

// What istiod, its injector and its mesh configuration are told is what pkg/observe reads back.
func TestPrimaryIdentities(t *testing.T) {
	t.Parallel()
	p := primary()
	p.Revision, p.Namespace = "canary", "mesh-system"
	objects := must(t)(Charts{}.Primary(p))
	env := envOf(discovery(t, objects))
	for name, want := range map[string]string{wellknown.ClusterIDVariable: "east", wellknown.ExternalIstiodVariable: "true", "REVISION": "canary"} {
		if env[name] != want {
			t.Errorf("istiod's %s is %q, want %q", name, env[name], want)
		}
	}
	if image := discovery(t, objects)["image"]; image != "docker.io/istio/pilot:"+builtInRelease {
		t.Errorf("istiod's image is %v", image)
	}
	var injected struct {
		Global struct {
			MeshID, Network string
			MultiCluster    struct{ ClusterName string }
		}
	}
	text, _, _ := unstructured.NestedString(named(t, objects, "ConfigMap", "istio-sidecar-injector-canary").Object, "data", "values")
	if err := json.Unmarshal([]byte(text), &injected); err != nil {
		t.Fatal(err)
	}
	if g := injected.Global; g.MeshID != "mesh1" || g.Network != "network1" || g.MultiCluster.ClusterName != "east" {
		t.Errorf("pods are told %+v", g)
	}
	var config struct{ DefaultConfig struct{ MeshID string } }
	text, _, _ = unstructured.NestedString(named(t, objects, "ConfigMap", "istio-canary").Object, "data", "mesh")
	if err := yaml.Unmarshal([]byte(text), &config); err != nil || config.DefaultConfig.MeshID != "mesh1" {
		t.Errorf("the mesh configuration says %+v (%v)", config, err)
	}
	for _, o := range objects {
		if ns := o.GetNamespace(); ns != "" && ns != "mesh-system" {
			t.Errorf("%s/%s is in %s", o.GetKind(), o.GetName(), ns)
		}
	}
}

// istioctl knows by these labels what belongs to whom. Two overlays of one name would prune each other.
func TestOwnerLabels(t *testing.T) {
	t.Parallel()
	owners := map[string]bool{}
	for name, objects := range rendered(t) {
		if strings.HasPrefix(name, "exposed") {
			continue
		}
		revision := "default"
		if strings.Contains(name, "canary") {
			revision = "canary"
		}
		own := ""
		for _, o := range objects {
			labels := o.GetLabels()
			owner, revision := labels[owningResourceLabel], revision
			if Shared(o) {
				// What all revisions have in common must look the same whichever of them is installed.
				revision = labels[wellknown.RevisionLabel]
				if owner != "base" || o.GetKind() == "CustomResourceDefinition" && revision != "default" {
					t.Errorf("%s: %s/%s is of revision %s and owned by %s", name, o.GetKind(), o.GetName(), revision, owner)
				}
			} else {
				own = cmp.Or(own, owner)
				owners[owner] = true
			}
			if !Shared(o) && owner != own || owner == "" || labels[owningResourceNSLabel] != "istio-system" ||
				labels[operatorManagedLabel] != "Reconcile" || labels[operatorVersionLabel] == "" || labels[operatorComponentLabel] == "" ||
				labels[wellknown.RevisionLabel] != revision {
				t.Errorf("%s: %s/%s has the labels %v", name, o.GetKind(), o.GetName(), labels)
			}
		}
	}
	want := []string{"eastwest", "primary", "primary-canary", "remote", "remote-canary"}
	if got := slices.Sorted(maps.Keys(owners)); !slices.Equal(got, want) {
		t.Errorf("the owners are %v, want %v", got, want)
	}
}

// Exactly one webhook configuration answers for a namespace with istio-injection=enabled, and at most one for each
// revision's label: where two match, pods are injected twice.
func TestDefaultTag(t *testing.T) {
	t.Parallel()
	all := rendered(t)
	for name, want := range map[string][]string{
		"primary": {"istio-revision-tag-default"}, "primary-canary-tagged": {"istio-revision-tag-default"}, "primary-canary": nil,
		"remote": {"istio-revision-tag-default"}, "remote-canary-tagged": {"istio-revision-tag-default"}, "remote-canary": nil,
	} {
		var enabled []string
		for _, o := range all[name] {
			if o.GetKind() == "MutatingWebhookConfiguration" && strings.Contains(text(t, o.Object["webhooks"]), `"istio-injection","operator":"In","values":["enabled"]`) {
				enabled = append(enabled, o.GetName())
			}
		}
		if !slices.Equal(enabled, want) {
			t.Errorf("%s: istio-injection=enabled is answered by %v, want %v", name, enabled, want)
		}
	}
	for name, deactivated := range map[string]bool{"primary/istio-sidecar-injector": true, "remote/istio-sidecar-injector": true,
		"primary-canary-tagged/istio-sidecar-injector-canary": false, "remote-canary/istio-sidecar-injector-canary": false} {
		what, injector, _ := strings.Cut(name, "/")
		for _, w := range webhooks(t, named(t, all[what], "MutatingWebhookConfiguration", injector)) {
			if never := strings.Contains(text(t, w["namespaceSelector"]), "never-match"); never != deactivated {
				t.Errorf("%s: webhook %s matches nothing: %v, want %v", name, w["name"], never, deactivated)
			}
		}
	}
}

func TestRemoteInjectsItsOwnCluster(t *testing.T) {
	t.Parallel()
	networked, other := remote(), remote()
	other.Network, other.Revision = "", "canary"
	for _, test := range []struct {
		remote        RemoteCluster
		path, service string
	}{
		{networked, "/inject/cluster/west/net/network1", "istiod"},
		{other, "/inject/cluster/west", "istiod-canary"},
	} {
		injectors := 0
		for _, o := range must(t)(Charts{}.Remote(test.remote)) {
			if o.GetKind() != "MutatingWebhookConfiguration" {
				continue
			}
			injectors++
			for _, w := range webhooks(t, o) {
				path, _, _ := unstructured.NestedString(w, "clientConfig", "service", "path")
				service, _, _ := unstructured.NestedString(w, "clientConfig", "service", "name")
				if path != test.path || service != test.service {
					t.Errorf("%s calls %s%s, want %s%s", o.GetName(), service, path, test.service, test.path)
				}
			}
		}
		if injectors != 2 {
			t.Errorf("there are %d injectors, want the revision's and the tag's", injectors)
		}
	}
}

// With an IP the remote finds istiod through an EndpointSlice, with a hostname through an ExternalName.
func TestRemoteFindsIstiod(t *testing.T) {
	t.Parallel()
	all := rendered(t)
	service := func(name, istiod string) map[string]any {
		return named(t, all[name], "Service", istiod).Object["spec"].(map[string]any)
	}
	for name, istiod := range map[string]string{"remote": "istiod", "remote-canary": "istiod-canary"} {
		slice := only(t, all[name], "EndpointSlice")
		if text(t, slice.Object["endpoints"]) != `[{"addresses":["192.0.2.10"]}]` || slice.GetLabels()["kubernetes.io/service-name"] != istiod {
			t.Errorf("%s: the EndpointSlice is %v", name, slice.Object)
		}
		if spec := service(name, istiod); spec["externalName"] != nil || spec["selector"] != nil {
			t.Errorf("%s: the Service is %v", name, spec)
		}
	}
	if spec := service("remote-hostname", "istiod"); spec["externalName"] != "gw.example" || spec["type"] != "ExternalName" {
		t.Errorf("with a hostname the Service is %v", spec)
	}
	if strings.Contains(list(all["remote-hostname"]), "EndpointSlice") {
		t.Error("there is an EndpointSlice of a hostname")
	}
	// pkg/observe tells the tag's Service, which leads nowhere here, by this label from istiod's.
	if named(t, all["remote"], "Service", "istiod-revision-tag-default").GetLabels()[wellknown.TagLabel] == "" {
		t.Error("the tag's Service can't be told from istiod's")
	}
}

func TestEastWest(t *testing.T) {
	t.Parallel()
	type port struct {
		Name             string
		Port, TargetPort int64
	}
	four := []port{{"status-port", 15021, 15021}, {"tls", 15443, 15443}, {"tls-istiod", 15012, 15012}, {"tls-webhook", 15017, 15017}}
	full := gateway()
	full.Revision, full.SourceRanges, full.Address, full.Port443 = "canary", []string{"10.0.0.0/8", "192.0.2.0/24"}, "gw.example", true
	full.WebhookPorts = map[string]int32{"next": 15102, "canary": 15101}
	full.Annotations = map[string]string{"b": "2", "a": "1"}
	for _, test := range []struct {
		name    string
		gateway Gateway
		ports   []port
		ranges  []string
		notes   map[string]string
	}{
		{"plain", gateway(), four, nil, nil},
		{"without a network", Gateway{Namespace: "istio-system"}, four, nil, nil},
		{"with all", full, append(slices.Clone(four), port{"tls-rev-canary", 15101, 15101}, port{"tls-rev-next", 15102, 15102}, port{"tls-webhook-443", 443, 15017}), full.SourceRanges,
			map[string]string{"a": "1", "b": "2", wellknown.UserAnnotations: "a,b", wellknown.AddressAnnotation: "gw.example"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			objects := must(t)(Charts{}.EastWest(test.gateway))
			service, deployment := only(t, objects, "Service"), only(t, objects, "Deployment")
			var spec struct {
				Type                     string
				Ports                    []port
				LoadBalancerSourceRanges []string
			}
			if err := json.Unmarshal([]byte(text(t, service.Object["spec"])), &spec); err != nil {
				t.Fatal(err)
			}
			if spec.Type != "LoadBalancer" || !slices.Equal(spec.Ports, test.ports) || !slices.Equal(spec.LoadBalancerSourceRanges, test.ranges) {
				t.Errorf("the Service is %+v", spec)
			}
			if got := service.GetAnnotations(); len(got) != len(test.notes) || len(got) > 0 && !reflect.DeepEqual(got, test.notes) {
				t.Errorf("it is annotated %v, want %v", got, test.notes)
			}
			if got := service.GetLabels()[wellknown.NetworkLabel]; got != test.gateway.Network {
				t.Errorf("its network is %q", got)
			}
			if got := envOf(container(t, deployment))["ISTIO_META_REQUESTED_NETWORK_VIEW"]; got != test.gateway.Network {
				t.Errorf("it is asked for the view of network %q", got)
			}
			pods, _, _ := unstructured.NestedStringMap(deployment.Object, "spec", "template", "metadata", "labels")
			if pods[gatewayLabel] != eastWestGatewayValue || service.GetLabels()[gatewayLabel] != eastWestGatewayValue {
				t.Errorf("the label by which it is found lacks: %v, %v", pods, service.GetLabels())
			}
			seen := map[string]bool{}
			for _, p := range container(t, deployment)["ports"].([]any) {
				number := text(t, p.(map[string]any)["containerPort"])
				if seen[number] {
					t.Errorf("container port %s is there twice: the API server warns of it", number)
				}
				seen[number] = true
			}
		})
	}
}

func TestSplitRemote(t *testing.T) {
	t.Parallel()
	objects := rendered(t)["remote"]
	parts := SplitRemote(objects)
	want := "ClusterRole /istio-reader-clusterrole-istio-system\nClusterRoleBinding /istio-reader-clusterrole-istio-system\n" +
		"ServiceAccount istio-system/" + wellknown.ReaderServiceAccount + "\n"
	if got := list(parts.Reader); got != want {
		t.Errorf("the reader is\n%s, want\n%s", got, want)
	}
	if got := list(parts.CRDs); strings.Count(got, "\n") != strings.Count(got, "CustomResourceDefinition ") || !strings.Contains(got, "workloadentries") {
		t.Errorf("the definitions are\n%s", got)
	}
	if list(slices.Concat(parts.Reader, parts.CRDs, parts.Profile)) != list(objects) {
		t.Errorf("the parts are not the whole:\n%s", list(parts.Profile))
	}
}

func webhooks(t *testing.T, configuration *unstructured.Unstructured) []map[string]any {
	t.Helper()
	slice, _, err := unstructured.NestedSlice(configuration.Object, "webhooks")
	if err != nil || len(slice) == 0 {
		t.Fatalf("%s has %d webhooks (%v)", configuration.GetName(), len(slice), err)
	}
	var webhooks []map[string]any
	for _, w := range slice {
		webhooks = append(webhooks, w.(map[string]any))
	}
	return webhooks
}

func text(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
