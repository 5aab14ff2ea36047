package istio

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// Every webhook of the revision and of its tag is called at the host, with the cluster's name and network in the path.
func TestInjectionURL(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"remote-hostname":        "https://gw.example:15017/inject/cluster/west/net/network1",
		"remote-canary-hostname": "https://gw.example:15101/inject/cluster/west/net/network1",
		"remote":                 "",
	} {
		configurations := 0
		for _, object := range rendered(t)[name] {
			if object.GetKind() != "MutatingWebhookConfiguration" {
				continue
			}
			configurations++
			webhooks, _, _ := unstructured.NestedSlice(object.Object, "webhooks")
			for _, webhook := range webhooks {
				config := webhook.(map[string]any)["clientConfig"].(map[string]any)
				url, _ := config["url"].(string)
				if service := config["service"]; url != want || (service == nil) != (want != "") {
					t.Errorf("%s, %s: called are url %q, service %v; want %q", name, object.GetName(), url, service, want)
				}
			}
		}
		if configurations != 2 {
			t.Errorf("%s has %d webhook configurations, want the revision's and its tag's", name, configurations)
		}
	}
}

// A named revision's webhooks have a Gateway and a route of their own, and those that all revisions share stay as they are.
func TestExposeAtAPortOfItsOwn(t *testing.T) {
	t.Parallel()
	shared, own := ExposeIstiod("istio-system", "canary", 0), ExposeIstiod("istio-system", "canary", 15101)
	if text(t, shared[0].Object) != text(t, own[0].Object) {
		t.Errorf("the Gateway that all revisions share is\n%v, want\n%v", own[0].Object, shared[0].Object)
	}
	gateway, service := named(t, own, "Gateway", "istiod-gateway-canary"), only(t, own, "VirtualService")
	if !strings.Contains(text(t, gateway.Object["spec"]), `"number":15101`) || Shared(gateway) {
		t.Errorf("its own Gateway is %v", gateway.Object)
	}
	spec := text(t, service.Object["spec"])
	for _, part := range []string{
		`"gateways":["istiod-gateway","istiod-gateway-canary"]`, `"match":[{"port":15101,"sniHosts":["*"]}]`,
		`"match":[{"port":15017,"sniHosts":["istiod-canary.istio-system.svc","istiod-canary.istio-system.svc.cluster.local"]}]`,
	} {
		if !strings.Contains(spec, part) {
			t.Errorf("%s is not in the VirtualService: %s", part, spec)
		}
	}
}

// The gateway's pods need not begin again for a port of webhooks.
func TestWebhookPortsLeaveThePodsAlone(t *testing.T) {
	t.Parallel()
	more := gateway()
	more.WebhookPorts, more.Port443 = map[string]int32{"canary": 15101}, true
	with, without := must(t)(Charts{}.EastWest(more)), rendered(t)["eastwest"]
	if a, b := text(t, only(t, with, "Deployment").Object), text(t, only(t, without, "Deployment").Object); a != b {
		t.Errorf("the Deployment is\n%s, want\n%s", a, b)
	}
	service := &corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{
		{Name: "tls-webhook", Port: 15017}, {Name: "tls-webhook-443", Port: 443}, {Name: "tls-rev-canary", Port: 15101}, {Name: "tls-rev-webhook", Port: 15102},
	}}}
	if got := WebhookPorts(service); len(got) != 2 || got["canary"] != 15101 || got["webhook"] != 15102 {
		t.Errorf("the revisions' ports are %v", got)
	}
}

// What the user's own overlays give stays, wherever they give it.
func TestCustomHostsAndTheUsers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		set   []string
		hosts string
		want  string
	}{
		"none":                            {nil, "", ""},
		"ours":                            {nil, "gw.example,second.example", "gw.example,second.example"},
		"the user's":                      {[]string{"values.pilot.env.ISTIOD_CUSTOM_HOST=own.example"}, "", "own.example"},
		"the user's and ours":             {[]string{"values.pilot.env.ISTIOD_CUSTOM_HOST=own.example"}, "gw.example", "own.example,gw.example"},
		"the user's is one of ours":       {[]string{"values.pilot.env.ISTIOD_CUSTOM_HOST=gw.example"}, "gw.example", "gw.example"},
		"the user's, by another settings": {[]string{"components.pilot.k8s.env[0].name=ISTIOD_CUSTOM_HOST", "components.pilot.k8s.env[0].value=own.example"}, "gw.example", "own.example,gw.example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := primary()
			p.CustomHosts = test.hosts
			if got := strings.Join(customHosts(t, must(t)(Charts{Set: test.set}.Primary(p))), ","); got != test.want {
				t.Errorf("istiod's hosts are %q, want %q", got, test.want)
			}
		})
	}
}

func customHosts(t *testing.T, objects []*unstructured.Unstructured) []string {
	t.Helper()
	return CustomHosts(typed(t, only(t, objects, "Deployment")))
}

func typed(t *testing.T, object *unstructured.Unstructured) *appsv1.Deployment {
	t.Helper()
	deployment := &appsv1.Deployment{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, deployment); err != nil {
		t.Fatal(err)
	}
	return deployment
}

// Only what kubectl-mesh has applied is applied again: what others have set in the Deployment stays theirs.
func TestWithCustomHosts(t *testing.T) {
	t.Parallel()
	env := func(name, value string) corev1.EnvVar { return corev1.EnvVar{Name: name, Value: value} }
	fields := `{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"discovery\"}":{".":{},"f:name":{},"f:image":{},` +
		`"f:env":{"k:{\"name\":\"CLUSTER_ID\"}":{".":{},"f:name":{},"f:value":{}}%}}}}}}}`
	hosts := `,"k:{\"name\":\"ISTIOD_CUSTOM_HOST\"}":{".":{},"f:name":{},"f:value":{}}`
	for name, test := range map[string]struct {
		has   []corev1.EnvVar
		owned string
		want  []corev1.EnvVar
	}{
		"none yet": {
			[]corev1.EnvVar{env("CLUSTER_ID", "east"), env("THEIRS", "x")}, "",
			[]corev1.EnvVar{env("CLUSTER_ID", "east"), env("ISTIOD_CUSTOM_HOST", "gw.example,second.example")},
		},
		"some of its own": {
			[]corev1.EnvVar{env("CLUSTER_ID", "east"), env("ISTIOD_CUSTOM_HOST", "own.example, gw.example")}, hosts,
			[]corev1.EnvVar{env("CLUSTER_ID", "east"), env("ISTIOD_CUSTOM_HOST", "own.example,gw.example,second.example")},
		},
		"some that another set": {
			[]corev1.EnvVar{env("CLUSTER_ID", "east"), env("ISTIOD_CUSTOM_HOST", "theirs.example")}, "",
			[]corev1.EnvVar{env("CLUSTER_ID", "east"), env("ISTIOD_CUSTOM_HOST", "theirs.example,gw.example,second.example")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
				Name: "istiod", Namespace: "istio-system", ManagedFields: []metav1.ManagedFieldsEntry{{
					Manager: wellknown.FieldManager, Operation: metav1.ManagedFieldsOperationApply, APIVersion: "apps/v1", FieldsType: "FieldsV1",
					FieldsV1: &metav1.FieldsV1{Raw: bytes.ReplaceAll([]byte(fields), []byte("%"), []byte(test.owned))},
				}},
			}}
			deployment.Spec.Template.Spec.Containers = []corev1.Container{{Name: "discovery", Image: "pilot", ImagePullPolicy: corev1.PullAlways, Env: test.has}}
			object, err := WithCustomHosts(deployment, []string{"gw.example", "second.example"})
			if err != nil {
				t.Fatal(err)
			}
			got := typed(t, object)
			if container := got.Spec.Template.Spec.Containers[0]; !slices.Equal(container.Env, test.want) || container.Image != "pilot" || container.ImagePullPolicy != "" {
				t.Errorf("applied is %+v", container)
			}
			if _, err := WithCustomHosts(&appsv1.Deployment{}, []string{"gw.example"}); err == nil {
				t.Error("a Deployment of which nothing is ours would be applied")
			}
			if object.GetKind() != "Deployment" || object.GetAPIVersion() != "apps/v1" || object.GetName() != "istiod" || object.GetNamespace() != "istio-system" {
				t.Errorf("applied is %v", object.Object)
			}
		})
	}
}
