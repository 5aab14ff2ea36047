package plan

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// What istiod was given stays when install-primary runs again, and it gets the gateway's hostnames without being asked.
func TestCustomHosts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		has      []string
		gateways []snapshot.Gateway
		want     string
	}{
		{"a new cluster", nil, nil, ""},
		{"an IP", nil, []snapshot.Gateway{{Name: "istio-eastwestgateway", Address: "192.0.2.1"}}, ""},
		{"given before", []string{"own.example", "gw.example"}, nil, "own.example,gw.example"},
		{"several hostnames", []string{"own.example", "a.example"},
			[]snapshot.Gateway{{Name: "istio-eastwestgateway", Address: "a.example", Hostnames: []string{"a.example", "b.example"}}}, "own.example,a.example,b.example"},
		{"another gateway's", nil, []snapshot.Gateway{{Name: "somebody-elses", Hostnames: []string{"a.example"}}}, ""},
	} {
		m := wanted("canary")
		s := fresh(m)
		s.Clusters["east"].Gateways = test.gateways
		s.Clusters["east"].ControlPlanes = []snapshot.ControlPlane{{Revision: "default", CustomHosts: []string{"other.example"}}, {Revision: "canary", CustomHosts: test.has}}
		if got := find[ApplyControlPlane](t, Build(m, s, Options{}), "east/control-plane").CustomHosts; got != test.want {
			t.Errorf("%s: istiod is installed with %q, want %q", test.name, got, test.want)
		}
	}
}

// Every istiod that is published and ours is told the gateway's hostname; another tool's is not touched.
func TestWhichIstiodsAreToldTheHostname(t *testing.T) {
	t.Parallel()
	plane := func(revision, by string) snapshot.ControlPlane {
		return snapshot.ControlPlane{Revision: revision, InstalledBy: by}
	}
	for _, test := range []struct {
		name, revision string
		planes         []snapshot.ControlPlane
		exposed        []string
		want           string
	}{
		{"one that is not there yet", "", nil, nil, "istiod"},
		{"a revision that is not there yet", "canary", nil, nil, "istiod-canary"},
		{"ours", "", []snapshot.ControlPlane{plane("default", "kubectl-mesh")}, nil, "istiod"},
		{"another tool's", "", []snapshot.ControlPlane{plane("default", "helm")}, []string{"default"}, ""},
		{"ours beside others", "canary",
			[]snapshot.ControlPlane{plane("default", "kubectl-mesh"), plane("old", "kubectl-mesh"), plane("helms", "helm"), plane("canary", "kubectl-mesh")},
			[]string{"default", "helms"}, "istiod istiod-canary"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := wanted(test.revision)
			s := fresh(m)
			s.Clusters["east"].ControlPlanes, s.Clusters["east"].Exposed = test.planes, test.exposed
			var told []string
			steps := Build(m, s, Options{Wait: true})
			for _, step := range steps {
				action, is := step.Action.(ApplyCustomHosts)
				if !is {
					continue
				}
				told = append(told, action.Deployment)
				restarted := "east/" + action.Deployment + "-restarted"
				if got := find[AwaitRestarted](t, steps, restarted); got.Name != action.Deployment || !before(steps, step.ID, restarted) {
					t.Errorf("after %s, %s waits for %s", step.ID, restarted, got.Name)
				}
			}
			if got := strings.Join(told, " "); got != test.want {
				t.Errorf("told are %q, want %q", got, test.want)
			}
		})
	}
}

// The gateway's hostname is the same for all revisions: a named one has its webhooks called at a port of its own.
func TestWebhookPorts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, revision string
		was            map[string]int32
		// first and second are the port in the first pass and in the one after the address is known; -1 for no second one.
		first, second int32
	}{
		{"the default revision has the one that all gateways have", "", nil, 0, -1},
		{"the default revision beside others", "", map[string]int32{"canary": 15101}, 0, -1},
		{"the first named one", "canary", nil, 0, 15101},
		{"the next one", "canary", map[string]int32{"old": 15103, "older": 15101}, 0, 15104},
		{"again", "canary", map[string]int32{"canary": 15102, "older": 15101}, 15102, -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := wanted(test.revision, "west")
			s := fresh(m)
			s.Clusters["east"].Gateways = []snapshot.Gateway{{Name: "istio-eastwestgateway", WebhookPorts: test.was}}
			steps := Build(m, s, Options{})
			gateway, exposure := find[ApplyGateway](t, steps, "east/gateway"), find[ApplyExposure](t, steps, "east/exposure")
			if !reflect.DeepEqual(gateway.WebhookPorts, test.was) || exposure != (ApplyExposure{WebhookPort: test.first}) {
				t.Errorf("first made are %+v and %+v", gateway, exposure)
			}
			if got := find[ApplyRemote](t, steps, "west/profile").WebhookPort; got != test.first {
				t.Errorf("the remote's webhooks are called at %d, want %d", got, test.first)
			}
			if test.second == -1 {
				if slices.ContainsFunc(steps, func(s Step) bool { return s.ID == "east/webhook-port" }) {
					t.Error("there is a second pass")
				}
				return
			}
			second, again := find[ApplyGateway](t, steps, "east/webhook-port"), find[ApplyExposure](t, steps, "east/webhook-exposure")
			if again != (ApplyExposure{WebhookPort: test.second, OnlyForHostname: true}) || second.WebhookPorts["canary"] != test.second || !second.OnlyForHostname ||
				len(second.WebhookPorts) != len(test.was)+1 {
				t.Errorf("then made are %+v and %+v, want port %d", second, again, test.second)
			}
		})
	}
}

// An earlier release had API servers call port 443 of a hostname. It stays while a remote may do so.
func TestPort443(t *testing.T) {
	t.Parallel()
	secret := []snapshot.RemoteSecret{{Secret: "istio-remote-secret-west", Cluster: "west"}}
	unread := []snapshot.Unreadable{{What: snapshot.RemoteSecretsPart, Reason: "forbidden"}}
	for name, test := range map[string]struct {
		ports   []int32
		secrets []snapshot.RemoteSecret
		unread  []snapshot.Unreadable
		want    bool
	}{
		"never opened":            {[]int32{15017}, secret, nil, false},
		"a remote may call it":    {[]int32{15017, 443}, secret, nil, true},
		"no remote":               {[]int32{15017, 443}, nil, nil, false},
		"nobody knows of remotes": {[]int32{15017, 443}, nil, unread, true},
	} {
		m := wanted("")
		s := fresh(m)
		east := s.Clusters["east"]
		east.Gateways = []snapshot.Gateway{{Name: "istio-eastwestgateway", Ports: test.ports}}
		east.RemoteSecrets, east.Unreadable = test.secrets, test.unread
		if got := find[ApplyGateway](t, Build(m, s, Options{}), "east/gateway").Port443; got != test.want {
			t.Errorf("%s: it is kept: %v", name, got)
		}
	}
}
