package plan

import (
	"reflect"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// A command that runs again without the flags of the first time leaves what they had set.
func TestGatewayKeepsEarlierChoices(t *testing.T) {
	t.Parallel()
	was := snapshot.Gateway{
		Name: "istio-eastwestgateway", Address: "gateway.example", Override: true, Ports: []int32{15021, 15443, 15012, 15017, 15101},
		WebhookPorts: map[string]int32{"canary": 15101}, SourceRanges: []string{"10.0.0.0/8"}, Annotations: map[string]string{"cloud/internal": "true"},
	}
	kept := ApplyGateway{
		Network: "network1", Address: "gateway.example", SourceRanges: was.SourceRanges, Annotations: was.Annotations, WebhookPorts: was.WebhookPorts,
	}
	loadBalanced := was
	loadBalanced.Override = false
	other := was
	other.Name = "somebody-elses"
	for _, test := range []struct {
		name  string
		was   []snapshot.Gateway
		given GatewayOptions
		want  ApplyGateway
	}{
		{"nothing there, nothing given", nil, GatewayOptions{}, ApplyGateway{Network: "network1"}},
		{"nothing given", []snapshot.Gateway{was}, GatewayOptions{}, kept},
		{"the load balancer's address is not written down", []snapshot.Gateway{loadBalanced}, GatewayOptions{},
			with(kept, func(a *ApplyGateway) { a.Address = "" })},
		{"another gateway's choices are none of ours", []snapshot.Gateway{other}, GatewayOptions{}, ApplyGateway{Network: "network1"}},
		{"all given", []snapshot.Gateway{was},
			GatewayOptions{Address: "192.0.2.1", SourceRanges: []string{"192.0.2.0/24"}, Annotations: map[string]string{"a": "b"}},
			ApplyGateway{
				Network: "network1", Address: "192.0.2.1", SourceRanges: []string{"192.0.2.0/24"},
				Annotations: map[string]string{"a": "b"}, WebhookPorts: was.WebhookPorts,
			}},
		{"an empty list opens it to all", []snapshot.Gateway{was}, GatewayOptions{SourceRanges: []string{}},
			with(kept, func(a *ApplyGateway) { a.SourceRanges = []string{} })},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := wanted("")
			s := fresh(m)
			s.Clusters["east"].Gateways = test.was
			steps := Build(m, s, Options{Gateway: test.given, Wait: true})
			if got := find[ApplyGateway](t, steps, "east/gateway"); !reflect.DeepEqual(got, test.want) {
				t.Errorf("the gateway is made with\n%+v, want\n%+v", got, test.want)
			}
		})
	}
}

func with(a ApplyGateway, change func(*ApplyGateway)) ApplyGateway {
	change(&a)
	return a
}

func TestRemoteFollowsThePrimary(t *testing.T) {
	t.Parallel()
	m := wanted("canary", "west")
	m.Clusters[1].Network = "network2"
	s := fresh(m)
	s.Clusters["east"].ControlPlanes = []snapshot.ControlPlane{
		{Revision: "default", Hub: "wrong", Version: "1.28.0"}, {Revision: "canary", Hub: "registry.example/istio", Version: "1.29.1"},
	}
	steps := Build(m, s, Options{Wait: true})
	want := ApplyRemote{
		Part: ProfilePart, MeshID: "mesh1", Cluster: "west", Network: "network2", Hub: "registry.example/istio", Version: "1.29.1",
		Primary: "east", DefaultTag: true,
	}
	if got := find[ApplyRemote](t, steps, "west/profile"); got != want {
		t.Errorf("the profile is made with\n%+v, want\n%+v", got, want)
	}
	want.Part = ReaderPart
	if got := find[ApplyRemote](t, steps, "west/reader"); got != want {
		t.Errorf("the reader is made with\n%+v, want\n%+v", got, want)
	}
}

func TestControlPlaneClusters(t *testing.T) {
	t.Parallel()
	for there, want := range map[string]string{
		"": "east", "east": "east", "*": "*", "other": "other,east", "other,east": "other,east", "eastern": "eastern,east",
		// istiod compares without trimming: this east would not be found.
		"other, east": "other, east,east",
	} {
		m := wanted("", "west")
		s := fresh(m)
		s.Clusters["west"].Namespace = &snapshot.Namespace{ControlPlaneClusters: there}
		action := find[ApplyNamespace](t, Build(m, s, Options{}), "west/namespace")
		if action.ControlPlaneClusters != want {
			t.Errorf("of %q becomes %q, want %q", there, action.ControlPlaneClusters, want)
		}
	}
}

func TestRemoteSecretServer(t *testing.T) {
	t.Parallel()
	m := wanted("", "west", "south")
	m.Clusters[2].Server = "https://10.0.0.1:6443"
	s := fresh(m)
	s.Clusters["west"].TLSServerName, s.Clusters["south"].TLSServerName = "api.west", "api.south"
	steps := Build(m, s, Options{})
	west := ApplyRemoteSecret{Remote: "west", Server: "https://west.example:6443", TLSServerName: "api.west", New: true}
	if got := find[ApplyRemoteSecret](t, steps, "east/remote-secret-west"); got != west {
		t.Errorf("got %+v, want the kubeconfig's: %+v", got, west)
	}
	m.Clusters[1].Server = "https://west.example:6443"
	if got := find[ApplyRemoteSecret](t, Build(m, s, Options{}), "east/remote-secret-west"); got != west {
		t.Errorf("with the kubeconfig's address given it is %+v, want %+v", got, west)
	}
	// The name belongs to the kubeconfig's address and says nothing of the user's.
	south := ApplyRemoteSecret{Remote: "south", Server: "https://10.0.0.1:6443", New: true}
	if got := find[ApplyRemoteSecret](t, steps, "east/remote-secret-south"); got != south {
		t.Errorf("got %+v, want the user's: %+v", got, south)
	}
}

// Two webhooks that both answer for istio-injection=enabled would inject a pod twice.
func TestDefaultTag(t *testing.T) {
	t.Parallel()
	byItself := snapshot.Injector{Name: "istio-sidecar-injector", Revision: "default"}
	canary := snapshot.Injector{Name: "istio-sidecar-injector-canary", Revision: "canary"}
	tagged := func(revision string) snapshot.Injector {
		return snapshot.Injector{Name: "istio-revision-tag-default", Revision: revision, Tag: "default"}
	}
	for _, test := range []struct {
		name, revision string
		injectors      []snapshot.Injector
		want           bool
	}{
		{"the default revision, alone", "", nil, true},
		{"the default revision takes it over", "", []snapshot.Injector{canary, tagged("canary")}, true},
		{"a named revision, alone", "canary", nil, true},
		{"a named revision that has it", "canary", []snapshot.Injector{canary, tagged("canary")}, true},
		{"a named revision, again", "canary", []snapshot.Injector{canary}, true},
		{"a named revision beside the tag of another", "canary", []snapshot.Injector{byItself, tagged("default"), canary}, false},
		{"a named revision beside one that answers by itself", "canary", []snapshot.Injector{byItself, canary}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := wanted(test.revision, "west")
			s := fresh(m)
			s.Clusters["east"].Injectors, s.Clusters["west"].Injectors = test.injectors, test.injectors
			steps := Build(m, s, Options{})
			if got := find[ApplyControlPlane](t, steps, "east/control-plane").DefaultTag; got != test.want {
				t.Errorf("on the primary: %v, want %v", got, test.want)
			}
			if got := find[ApplyRemote](t, steps, "west/profile").DefaultTag; got != test.want {
				t.Errorf("on the remote: %v, want %v", got, test.want)
			}
		})
	}
}

func TestPrimaryIdentity(t *testing.T) {
	t.Parallel()
	m := mesh.Mesh{ID: "shop", Namespace: "mesh-system", Revision: "canary", Clusters: []mesh.Cluster{{Name: "east", Role: mesh.Primary, Network: "eu"}}}
	steps := Build(m, fresh(m), Options{Profile: "demo", Wait: true})
	want := ApplyControlPlane{Cluster: "east", MeshID: "shop", Network: "eu", Profile: "demo", DefaultTag: true}
	if got := find[ApplyControlPlane](t, steps, "east/control-plane"); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := find[AwaitDeployment](t, steps, "east/istiod"); got.Name != "istiod-canary" {
		t.Errorf("it waits for Deployment %s", got.Name)
	}
	if got := find[ApplyNamespace](t, steps, "east/namespace"); got != (ApplyNamespace{Network: "eu"}) {
		t.Errorf("the primary's namespace is made with %+v", got)
	}
}
