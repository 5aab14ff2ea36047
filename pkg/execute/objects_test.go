package execute

import (
	"encoding/base64"
	"errors"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	applyappsv1 "k8s.io/client-go/applyconfigurations/apps/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func executor(revision, address string) *Executor {
	gateway := &corev1.Service{ObjectMeta: meta(wellknown.EastWestGateway)}
	if address != "" {
		gateway.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: address, Hostname: ""}}
		if net.ParseIP(address) == nil {
			gateway.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{Hostname: address}}
		}
	}
	token := &corev1.Secret{ObjectMeta: meta(wellknown.ReaderTokenSecret), Data: map[string][]byte{"token": []byte("t"), "ca.crt": []byte("c")}}
	east, west := faked(gateway), faked(token)
	east.Name = "east"
	return &Executor{
		Mesh: mesh.Mesh{ID: "mesh1", Namespace: "istio-system", Revision: revision, Clusters: []mesh.Cluster{
			{Name: "east", Role: mesh.Primary, Network: "network1"}, {Name: "west", Role: mesh.Remote, Network: "network1", Server: "https://west.example"},
		}},
		Clusters: cluster.Set{"east": east, "west": west}, Version: "v1",
	}
}

// install makes istiod's Deployment, as little of it as matters here.
func install(t *testing.T, e *Executor) {
	t.Helper()
	istiod := applyappsv1.Deployment(wellknown.Revisioned("istiod", e.Mesh.Revision), "istio-system").WithSpec(applyappsv1.DeploymentSpec().WithTemplate(
		applycorev1.PodTemplateSpec().WithSpec(applycorev1.PodSpec().WithContainers(applycorev1.Container().WithName("discovery").WithImage("pilot")))))
	_, err := e.Clusters["east"].Kube().AppsV1().Deployments("istio-system").Apply(t.Context(), istiod, metav1.ApplyOptions{FieldManager: wellknown.FieldManager})
	if err != nil {
		t.Fatal(err)
	}
}

func steps(e *Executor, stage plan.Stage) []plan.Step {
	s := &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{"east": {ControlPlanes: []snapshot.ControlPlane{{
		Revision: e.Mesh.RevisionLabel(), Hub: "registry.example/istio", Version: "1.29.1", InstalledBy: "kubectl-mesh",
	}}}, "west": {}}}
	return plan.Slice(plan.Build(e.Mesh, s, plan.Options{Wait: true}), stage)
}

// objectsOf makes what an action applies, and names the set of it.
func objectsOf(t *testing.T, e *Executor, c *cluster.Cluster, action plan.Action) (string, []*unstructured.Unstructured, error) {
	t.Helper()
	made := e.task(plan.Step{Action: action}, c)
	if secret, is := made.(credentialsTask); is {
		made = secret.applyTask
	}
	applying, is := made.(applyTask)
	if !is {
		t.Fatalf("%T applies nothing", action)
	}
	set, err := applying.objects(t.Context(), c)
	return set.name, set.objects, err
}

// A command that finds out half-way that it may not write has asked for too little.
func TestPermissionsCoverWhatIsWritten(t *testing.T) {
	t.Parallel()
	for _, revision := range []string{"", "canary"} {
		e := executor(revision, "gw.example")
		install(t, e)
		for _, stage := range []plan.Stage{plan.InstallPrimary, plan.ExposeIstiod, plan.AttachRemote} {
			onPrimary, onRemote := plan.Permissions(stage, e.Mesh.Namespace)
			for _, step := range steps(e, stage) {
				if !step.Writes() {
					continue
				}
				set, objects, err := objectsOf(t, e, e.Clusters[step.Cluster], step.Action)
				if err != nil || len(objects) == 0 {
					t.Fatalf("%s writes %d objects (%v)", step.ID, len(objects), err)
				}
				if set != "" { // which is recorded in a ConfigMap
					objects = append(slices.Clone(objects), &unstructured.Unstructured{Object: map[string]any{
						"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": set, "namespace": e.Mesh.Namespace},
					}})
				}
				asked := onPrimary
				if step.Cluster == "west" {
					asked = onRemote
				}
				for _, o := range objects {
					resource, _ := apimeta.UnsafeGuessKindToResource(o.GroupVersionKind())
					if o.GetKind() == "Gateway" { // of which the guess is gatewaies
						resource.Resource = "gateways"
					}
					for _, verb := range []string{"create", "patch"} {
						p := snapshot.Permission{Verb: verb, Group: resource.Group, Resource: resource.Resource, Namespace: o.GetNamespace()}
						if o.GetKind() == "Namespace" {
							p.Name = o.GetName()
						}
						if !slices.Contains(asked, p) {
							t.Errorf("%s writes %s/%s, and plan.Permissions lacks %+v", step.ID, o.GetKind(), o.GetName(), p)
						}
					}
				}
			}
		}
	}
}

// What only a hostname needs is written for a hostname alone.
func TestOnlyForHostname(t *testing.T) {
	t.Parallel()
	for address, written := range map[string]bool{"192.0.2.1": false, "gw.example": true} {
		e := executor("canary", address)
		install(t, e)
		seen := 0
		for _, step := range steps(e, plan.ExposeIstiod) {
			if !slices.Contains([]string{"east/webhook-port", "east/webhook-exposure", "east/istiod-canary-hosts"}, step.ID) {
				continue
			}
			seen++
			_, objects, err := objectsOf(t, e, e.Clusters["east"], step.Action)
			if err != nil || (len(objects) > 0) != written {
				t.Errorf("with %s, %s has %d objects (%v)", address, step.ID, len(objects), err)
			}
			if !written {
				result, err := e.Do(t.Context(), step, func(string) {})
				if err != nil || result.Wrote || result.Detail != "not needed" {
					t.Errorf("with %s, %s: %+v, %v", address, step.ID, result, err)
				}
			}
		}
		if seen != 3 {
			t.Errorf("the plan has %d of the three steps", seen)
		}
	}
}

// A dry run of a gateway that is not there yet has nothing to say of its hostname.
func TestHostnameInADryRun(t *testing.T) {
	t.Parallel()
	e := executor("canary", "")
	for dry, want := range map[apply.DryRun]string{apply.DryRunServer: "", apply.DryRunNone: "cluster east: Service istio-eastwestgateway in istio-system has no external address yet"} {
		e.DryRun = dry
		_, objects, err := objectsOf(t, e, e.Clusters["east"], plan.ApplyCustomHosts{Deployment: "istiod-canary"})
		if len(objects) > 0 || (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%s: %d objects, %v", dry, len(objects), err)
		}
	}
}

// Every name that the load balancer has given is one of istiod's.
func TestSeveralHostnames(t *testing.T) {
	t.Parallel()
	e := executor("", "gw.example")
	gateway := &corev1.Service{ObjectMeta: meta(wellknown.EastWestGateway)}
	gateway.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "fd00::1"}, {Hostname: "a.example"}, {Hostname: "b.example"}}
	e.Clusters["east"] = faked(gateway)
	install(t, e)
	_, objects, err := objectsOf(t, e, e.Clusters["east"], plan.ApplyCustomHosts{Deployment: "istiod"})
	if err != nil || len(objects) != 1 {
		t.Fatalf("%d objects, %v", len(objects), err)
	}
	containers, _, _ := unstructured.NestedSlice(objects[0].Object, "spec", "template", "spec", "containers")
	if len(containers) != 1 {
		t.Fatalf("applied is %v", objects[0].Object)
	}
	if env := containers[0].(map[string]any)["env"]; !reflect.DeepEqual(env, []any{map[string]any{"name": "ISTIOD_CUSTOM_HOST", "value": "a.example,b.example"}}) {
		t.Errorf("istiod's environment is %v", env)
	}
}

// Istio's charts would make an ExternalName of an IPv6 address, which no API server takes.
func TestIPv6(t *testing.T) {
	t.Parallel()
	e := executor("", "fd00::1")
	_, _, err := objectsOf(t, e, e.Clusters["west"], plan.ApplyRemote{Part: plan.ProfilePart, Cluster: "west", Primary: "east"})
	if err == nil || !strings.Contains(err.Error(), "only the IPv6 address fd00::1") {
		t.Errorf("got %v", err)
	}
	_, _, err = hasAddress(e.Clusters["east"], "istio-system")(t.Context())
	if !errors.As(err, &permanentError{}) || !strings.Contains(err.Error(), "--address") {
		t.Errorf("the wait for an address sees %v", err)
	}
}

// The remote gets the primary's images and address, whatever the charts at hand would say.
func TestRemoteObjects(t *testing.T) {
	t.Parallel()
	e := executor("canary", "192.0.2.1")
	names := map[plan.RemotePart]string{plan.ReaderPart: "kubectl-mesh-reader-canary", plan.CRDPart: "kubectl-mesh-crds-canary", plan.ProfilePart: "kubectl-mesh-remote-canary"}
	var parts []plan.RemotePart
	for _, step := range steps(e, plan.AttachRemote) {
		action, is := step.Action.(plan.ApplyRemote)
		if !is {
			continue
		}
		parts = append(parts, action.Part)
		set, objects, err := objectsOf(t, e, e.Clusters["west"], action)
		if err != nil || set != names[action.Part] {
			t.Fatalf("%s is recorded as %s (%v)", step.ID, set, err)
		}
		var kinds []string
		for _, o := range objects {
			kinds = append(kinds, o.GetKind())
			if o.GetKind() == "EndpointSlice" {
				endpoints, _, _ := unstructured.NestedSlice(o.Object, "endpoints")
				if address := endpoints[0].(map[string]any)["addresses"].([]any)[0]; address != "192.0.2.1" {
					t.Errorf("istiod is looked for at %v", address)
				}
			}
		}
		if action.Part == plan.ReaderPart && !slices.Contains(kinds, "Secret") {
			t.Errorf("the reader has no token: %v", kinds)
		}
		if action.Part == plan.CRDPart && !slices.Equal(slices.Compact(kinds), []string{"CustomResourceDefinition"}) {
			t.Errorf("the definitions are %v", kinds)
		}
		if action.Part == plan.ProfilePart && (!slices.Contains(kinds, "EndpointSlice") || slices.Contains(kinds, "ServiceAccount")) {
			t.Errorf("the profile is %v", kinds)
		}
	}
	if want := []plan.RemotePart{plan.ReaderPart, plan.CRDPart, plan.ProfilePart}; !slices.Equal(parts, want) {
		t.Errorf("a remote gets the parts %v, want %v", parts, want)
	}
}

func TestRemoteWithoutAnAddress(t *testing.T) {
	t.Parallel()
	e := executor("", "")
	_, _, err := objectsOf(t, e, e.Clusters["west"], plan.ApplyRemote{Part: plan.ProfilePart, Cluster: "west", Primary: "east"})
	if err == nil || err.Error() != "cluster east: Service istio-eastwestgateway in istio-system has no external address yet" {
		t.Errorf("got %v", err)
	}
}

func TestRemoteSecret(t *testing.T) {
	t.Parallel()
	e := executor("", "192.0.2.1")
	_, objects, err := objectsOf(t, e, e.Clusters["east"], plan.ApplyRemoteSecret{Remote: "west", Server: "https://west.example"})
	if err != nil || len(objects) != 1 || objects[0].GetName() != "istio-remote-secret-west" {
		t.Fatalf("got %v, %v", objects, err)
	}
	ours, _, _ := unstructured.NestedStringMap(objects[0].Object, "data")
	kubeconfig, err := base64.StdEncoding.DecodeString(ours["west"])
	if err != nil {
		t.Fatal(err)
	}
	for held, stays := range map[string]bool{
		string(kubeconfig) + "\n": true,
		strings.Replace(string(kubeconfig), "west.example", "other.example", 1): false,
		"nonsense": false,
	} {
		e.Clusters["east"] = faked(&corev1.Secret{ObjectMeta: meta("istio-remote-secret-west"), Data: map[string][]byte{"west": []byte(held)}})
		e.Clusters["east"].Name = "east"
		_, objects, err := objectsOf(t, e, e.Clusters["east"], plan.ApplyRemoteSecret{Remote: "west", Server: "https://west.example"})
		if !stays {
			if err == nil || !strings.Contains(err.Error(), "cluster east: Secret istio-remote-secret-west in istio-system has been given other credentials while this command ran") {
				t.Errorf("over %q: %v", held, err)
			}
			inPlace := plan.ApplyRemoteSecret{Remote: "west", Server: "https://west.example", InPlace: true}
			_, objects, err = objectsOf(t, e, e.Clusters["east"], inPlace)
			if err != nil {
				t.Fatal(err)
			}
			if data, _, _ := unstructured.NestedStringMap(objects[0].Object, "data"); data["west"] != ours["west"] {
				t.Errorf("over %q, for an istiod that takes it over: %q", held, data["west"])
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		data, _, _ := unstructured.NestedStringMap(objects[0].Object, "data")
		if got, err := base64.StdEncoding.DecodeString(data["west"]); err != nil || string(got) != held {
			t.Errorf("of %q is left %q (%v)", held, got, err)
		}
	}
	e.Clusters["west"] = faked(&corev1.Secret{ObjectMeta: meta(wellknown.ReaderTokenSecret)})
	_, _, err = objectsOf(t, e, e.Clusters["east"], plan.ApplyRemoteSecret{Remote: "west", Server: "https://west.example"})
	if err == nil || !strings.Contains(err.Error(), "cluster west: Secret istio-reader-service-account-istio-remote-secret-token in istio-system has no token yet") {
		t.Errorf("an empty token: %v", err)
	}
}

// A restart has kubectl's field manager: ours would say that we installed istiod.
func TestRestartIstiod(t *testing.T) {
	t.Parallel()
	e := executor("canary", "192.0.2.1")
	e.Clusters["east"] = faked(&appsv1.Deployment{ObjectMeta: meta("istiod-canary")})
	result, err := e.Do(t.Context(), plan.Step{Cluster: "east", Action: plan.RestartIstiod{}}, func(string) {})
	if err != nil || !result.Wrote {
		t.Fatalf("got %+v, %v", result, err)
	}
	deployment, err := e.Clusters["east"].Kube().AppsV1().Deployments("istio-system").Get(t.Context(), "istiod-canary", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if deployment.Spec.Template.Annotations["kubectl.kubernetes.io/restartedAt"] == "" {
		t.Errorf("it was not restarted: %v", deployment.Spec.Template)
	}
	if by := istio.InstalledBy(deployment); by != "" {
		t.Errorf("it is taken for one that %q installed", by)
	}
}
