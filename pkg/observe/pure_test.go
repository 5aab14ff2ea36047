package observe

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func TestSplitImage(t *testing.T) {
	t.Parallel()
	for image, want := range map[string][2]string{
		"docker.io/istio/pilot:1.29.1":                             {"docker.io/istio", "1.29.1"},
		"registry.example:5000/team/istio/pilot:1.29.1-distroless": {"registry.example:5000/team/istio", "1.29.1-distroless"},
		"registry.example:5000/pilot":                              {"registry.example:5000", ""},
		"docker.io/istio/pilot:1.29.1@sha256:abcd":                 {"docker.io/istio", "1.29.1"},
		"docker.io/istio/pilot@sha256:abcd":                        {"docker.io/istio", ""},
		"pilot:1.29.1":                                             {"", "1.29.1"},
		"pilot":                                                    {"", ""},
		"":                                                         {"", ""},
	} {
		if hub, tag := splitImage(image); hub != want[0] || tag != want[1] {
			t.Errorf("%q is of hub %q, tag %q; want %q", image, hub, tag, want)
		}
	}
}

func FuzzSplitImage(f *testing.F) {
	for _, seed := range []string{"", "pilot", "a/b:c", "a:1/b", "a:1/b:c@d:e", "@", ":", "/", "a/:", "///:::@@@"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, image string) {
		hub, tag := splitImage(image)
		if strings.ContainsAny(tag, "/@") || strings.Contains(hub, "@") || !strings.HasPrefix(image, hub) {
			t.Errorf("%q is of hub %q, tag %q", image, hub, tag)
		}
		if again, same := splitImage(hub + "/pilot:1"); again != hub || same != "1" {
			t.Errorf("the hub %q of %q leads to %q", hub, image, again)
		}
	})
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	if got := snapshot.Fingerprint(nil); got != "" {
		t.Errorf("nothing has the fingerprint %q", got)
	}
	one := snapshot.Fingerprint([]byte("-----BEGIN CERTIFICATE-----"))
	if len(one) != 16 || strings.Contains(one, "BEGIN") {
		t.Errorf("got %q", one)
	}
	// The same certificate is written with and without a newline at its end.
	if snapshot.Fingerprint([]byte("-----BEGIN CERTIFICATE-----\n")) != one {
		t.Error("a newline makes another certificate")
	}
	if snapshot.Fingerprint([]byte("-----BEGIN OTHER-----")) == one {
		t.Error("two texts have one fingerprint")
	}
}

func TestControlPlaneOf(t *testing.T) {
	t.Parallel()
	three := int32(3)
	deployment := func(replicas *int32, env ...corev1.EnvVar) *appsv1.Deployment {
		d := &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Name: "istiod-canary", Labels: map[string]string{"istio.io/rev": "canary", "operator.istio.io/managed": "Reconcile"}},
			Status:     appsv1.DeploymentStatus{ReadyReplicas: 2},
		}
		d.Spec.Replicas = replicas
		d.Spec.Template.Spec.Containers = []corev1.Container{
			{Name: "sidecar", Image: "other/thing:9", Env: []corev1.EnvVar{{Name: "CLUSTER_ID", Value: "wrong"}}},
			{Name: "discovery", Image: "docker.io/istio/pilot:1.29.1", Env: env},
		}
		return d
	}
	plain := snapshot.ControlPlane{Name: "istiod-canary", Revision: "canary", Version: "1.29.1", Hub: "docker.io/istio", InstalledBy: "istioctl", Ready: 2, Desired: 1}
	with := func(change func(*snapshot.ControlPlane)) snapshot.ControlPlane {
		plane := plain
		change(&plane)
		return plane
	}
	for _, test := range []struct {
		name       string
		deployment *appsv1.Deployment
		want       snapshot.ControlPlane
	}{
		{"no replicas are named: one", deployment(nil), plain},
		{"three replicas", deployment(&three), with(func(p *snapshot.ControlPlane) { p.Desired = 3 })},
		{"a primary", deployment(nil, corev1.EnvVar{Name: "CLUSTER_ID", Value: "east"}, corev1.EnvVar{Name: "EXTERNAL_ISTIOD", Value: "true"}),
			with(func(p *snapshot.ControlPlane) { p.ClusterID, p.ExternalIstiod = "east", true })},
		{"true is written otherwise", deployment(nil, corev1.EnvVar{Name: "EXTERNAL_ISTIOD", Value: "1"}), with(func(p *snapshot.ControlPlane) { p.ExternalIstiod = true })},
		{"switched off", deployment(nil, corev1.EnvVar{Name: "EXTERNAL_ISTIOD", Value: "false"}), plain},
		{"neither", deployment(nil, corev1.EnvVar{Name: "EXTERNAL_ISTIOD", Value: "yes please"}), plain},
	} {
		if got := controlPlaneOf(test.deployment); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got\n%+v, want\n%+v", test.name, got, test.want)
		}
	}
}

func TestGatewayOf(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Name: "istio-eastwestgateway", Labels: map[string]string{"istio.io/rev": "default", "topology.istio.io/network": "network1"},
			Annotations: map[string]string{
				"kubectl-mesh.github.io/gateway-annotations": "cloud/internal,cloud/gone", "cloud/internal": "true", "cloud/controllers-own": "x",
			},
		},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, LoadBalancerSourceRanges: []string{"10.0.0.0/8"},
			Ports: []corev1.ServicePort{{Port: 15021}, {Port: 15443}, {Port: 443}, {Port: 15101, Name: "tls-rev-canary"}},
		},
		Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{Hostname: "lb.example"}}}},
	}
	endpoint := func(ready *bool, addresses ...string) discoveryv1.Endpoint {
		return discoveryv1.Endpoint{Addresses: addresses, Conditions: discoveryv1.EndpointConditions{Ready: ready}}
	}
	slices := []discoveryv1.EndpointSlice{
		{Endpoints: []discoveryv1.Endpoint{endpoint(&yes, "10.0.0.1"), endpoint(&no, "10.0.0.2")}},
		{Endpoints: []discoveryv1.Endpoint{endpoint(nil, "10.0.0.3")}}, // unknown counts as ready, says its API
	}
	want := snapshot.Gateway{
		Name: "istio-eastwestgateway", Type: "LoadBalancer", Revision: "default", Network: "network1", Address: "lb.example",
		Hostnames: []string{"lb.example"}, WebhookPorts: map[string]int32{"canary": 15101},
		SourceRanges: []string{"10.0.0.0/8"}, Annotations: map[string]string{"cloud/internal": "true"}, Ports: []int32{15021, 15443, 443, 15101}, ReadyEndpoints: 2,
		CrossNetworkPort: 15443,
	}
	if got := gatewayOf(service, slices); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
	service.Labels["networking.istio.io/gatewayPort"], service.Labels["gateway.networking.k8s.io/gateway-name"] = "443", "eastwest"
	if got := gatewayOf(service, nil); got.CrossNetworkPort != 443 || !got.PublishesItself {
		t.Errorf("got %+v", got)
	}
	service.Annotations = map[string]string{"kubectl-mesh.github.io/address": "nat.example"}
	if got := gatewayOf(service, nil); got.Address != "nat.example" || !got.Override || got.Annotations != nil || got.ReadyEndpoints != 0 {
		t.Errorf("got %+v", got)
	}
}

// Slices that no controller makes stay until somebody deletes them.
func TestIstiodServiceOf(t *testing.T) {
	t.Parallel()
	var endpoints []discoveryv1.EndpointSlice
	for name, by := range map[string]string{"charts": "Helm", "selected": "endpointslice-controller.k8s.io", "mirrored": "endpointslicemirroring-controller.k8s.io", "hand": ""} {
		endpoints = append(endpoints, discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{discoveryv1.LabelManagedBy: by}},
			Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{"192.0.2.10"}}},
		})
	}
	got := istiodServiceOf(&corev1.Service{}, endpoints)
	slices.Sort(got.Written)
	if !slices.Equal(got.Written, []string{"charts", "hand"}) || len(got.Addresses) != len(endpoints) {
		t.Errorf("seen is %+v", got)
	}
}

// Who answers with a refusal is there; who does not answer is not asked anything else.
func TestCalledAt(t *testing.T) {
	t.Parallel()
	path, url, short, broken := "/inject/cluster/west", "https://istiod.example:15017/inject/cluster/west?x=y", "https://istiod.example/inject", "://"
	for name, test := range map[string]struct {
		hook       admissionv1.WebhookClientConfig
		host, path string
	}{
		"a Service":              {admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Path: &path}}, "", path},
		"a Service's own root":   {admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{}}, "", ""},
		"a URL":                  {admissionv1.WebhookClientConfig{URL: &url}, "istiod.example:15017", path},
		"a URL without its port": {admissionv1.WebhookClientConfig{URL: &short}, "istiod.example:443", "/inject"},
		"no URL":                 {admissionv1.WebhookClientConfig{URL: &broken}, broken, ""},
		"nothing":                {admissionv1.WebhookClientConfig{}, "", ""},
	} {
		if host, path := calledAt(test.hook); host != test.host || path != test.path {
			t.Errorf("%s: %q, %q; want %q, %q", name, host, path, test.host, test.path)
		}
	}
}

func TestAnswered(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		err  error
		want bool
	}{
		{"forbidden", apierrors.NewForbidden(schema.GroupResource{Resource: "namespaces"}, "kube-system", errors.New("no")), true},
		{"unauthorized, wrapped", fmt.Errorf("asking: %w", apierrors.NewUnauthorized("no")), true},
		{"a status without a reason, as a proxy's", &apierrors.StatusError{ErrStatus: metav1.Status{Message: "bad gateway"}}, false},
		{"a refused connection", errors.New("dial tcp: connection refused"), false},
		{"no time left", context.DeadlineExceeded, false},
		{"no error", nil, false},
	} {
		if got := cluster.Answered(test.err); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	short, cancel := Bounded(t.Context(), 0)
	defer cancel()
	over, cancelOver := context.WithTimeoutCause(t.Context(), 0, errors.New("--timeout 4s has passed"))
	defer cancelOver()
	late, cancelLate := Bounded(over, AnswerTimeout)
	defer cancelLate()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	refused := errors.New("connection refused")
	overdue := &url.Error{Op: "Get", URL: "https://east", Err: context.DeadlineExceeded}
	limited := errors.New("client rate limiter: would exceed context deadline")
	for _, test := range []struct {
		name string
		ctx  context.Context //nolint:containedctx // a table
		err  error
		want *snapshot.Unreadable
	}{
		{"an answer", t.Context(), nil, nil},
		{"a refusal", t.Context(), apierrors.NewUnauthorized("no"), nil},
		{"a refusal at the last moment", short, apierrors.NewUnauthorized("no"), nil},
		{"our timeout", short, limited, &snapshot.Unreadable{Reason: "no answer within 0s", TimedOut: true}},
		{"--timeout", late, limited, &snapshot.Unreadable{Reason: "--timeout 4s has passed"}},
		{"a plugin that hangs, and --timeout", late, &cluster.PluginError{Command: "login", Err: context.DeadlineExceeded},
			&snapshot.Unreadable{Reason: `--timeout 4s has passed: the kubeconfig's credential plugin "login" has not ended`}},
		{"the user's timeout", t.Context(), overdue, &snapshot.Unreadable{Reason: "context deadline exceeded", TimedOut: true}},
		{"nobody there", t.Context(), refused, &snapshot.Unreadable{Reason: "connection refused"}},
		{"not trusted", t.Context(), x509.UnknownAuthorityError{}, &snapshot.Unreadable{Reason: "x509: certificate signed by unknown authority", Answered: true}},
		{"Ctrl-C", stopped, refused, &snapshot.Unreadable{Reason: "context canceled"}},
	} {
		err := Silence(test.ctx, test.err)
		seen := &snapshot.Cluster{}
		(&reader{seen: seen}).note(t.Context(), snapshot.APIServer, err)
		var want []snapshot.Unreadable
		if test.want != nil {
			test.want.What = snapshot.APIServer
			want = []snapshot.Unreadable{*test.want}
		}
		if !reflect.DeepEqual(seen.Unreadable, want) {
			t.Errorf("%s: %+v, want %+v", test.name, seen.Unreadable, want)
		}
	}
}

func TestAbsent(t *testing.T) {
	t.Parallel()
	if err := absent(apierrors.NewNotFound(schema.GroupResource{}, "x")); err != nil {
		t.Errorf("an object that is not there could not be looked at: %v", err)
	}
	if err := absent(apierrors.NewForbidden(schema.GroupResource{}, "x", nil)); err == nil {
		t.Error("an object that nobody may see is not there")
	}
}

func TestFinders(t *testing.T) {
	t.Parallel()
	c := snapshot.Cluster{
		ControlPlanes: []snapshot.ControlPlane{{Name: "a", Revision: "default"}, {Name: "b", Revision: "canary"}},
		Gateways:      []snapshot.Gateway{{Name: "x"}, {Name: "y", Address: "192.0.2.1"}},
		Unreadable:    []snapshot.Unreadable{{What: snapshot.Gateways, Reason: "forbidden"}},
	}
	if plane, found := c.ControlPlane("canary"); !found || plane.Name != "b" {
		t.Errorf("got %+v, %v", plane, found)
	}
	if _, found := c.ControlPlane(""); found {
		t.Error("there is a control plane without a label")
	}
	if gateway, found := c.Gateway("y"); !found || gateway.Address != "192.0.2.1" {
		t.Errorf("got %+v, %v", gateway, found)
	}
	if _, found := c.Gateway("z"); found {
		t.Error("there is a gateway z")
	}
	if reason, could := c.CouldNotRead(snapshot.Gateways); !could || reason != "forbidden" {
		t.Errorf("got %q, %v", reason, could)
	}
	if _, could := c.CouldNotRead(snapshot.Nodes); could {
		t.Error("nodes could not be read")
	}
}
