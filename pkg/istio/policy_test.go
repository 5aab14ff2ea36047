package istio

import (
	"reflect"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	securityv1 "istio.io/client-go/pkg/apis/security/v1"
)

func policyFrom(t *testing.T, spec string) *securityv1.AuthorizationPolicy {
	t.Helper()
	p := &securityv1.AuthorizationPolicy{}
	if err := yaml.Unmarshal([]byte("spec: "+spec), p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	both := []int{15012, 15017}
	for spec, want := range map[string]struct {
		action string
		Verdict
	}{
		`{}`:                          {"ALLOW", Verdict{}},
		`{action: DENY}`:              {"DENY", Verdict{}},
		`{rules: [{}]}`:               {"ALLOW", Verdict{Surely: both, Perhaps: both, Always: []int{0}}},
		`{action: DENY, rules: [{}]}`: {"DENY", Verdict{Surely: both, Perhaps: both, Always: []int{0}}},
		`{rules: [{to: [{operation: {ports: ["15012"]}}]}]}`:                                        {"ALLOW", Verdict{Surely: []int{15012}, Perhaps: []int{15012}}},
		`{rules: [{to: [{operation: {notPorts: ["15012"]}}]}]}`:                                     {"ALLOW", Verdict{Surely: []int{15017}, Perhaps: []int{15017}}},
		`{rules: [{to: [{operation: {ports: ["15012"]}}, {operation: {ports: ["15017"]}}]}]}`:       {"ALLOW", Verdict{Surely: both, Perhaps: both}},
		`{rules: [{to: [{operation: {ports: ["443"]}}]}]}`:                                          {"ALLOW", Verdict{}},
		`{rules: [{to: [{operation: {methods: ["GET"]}}]}]}`:                                        {"ALLOW", Verdict{Perhaps: both}},
		`{rules: [{from: [{source: {ipBlocks: ["10.0.0.0/8"]}}]}]}`:                                 {"ALLOW", Verdict{Perhaps: both}},
		`{rules: [{from: [{source: {principals: ["*"]}}], to: [{operation: {ports: ["15017"]}}]}]}`: {"ALLOW", Verdict{Perhaps: []int{15017}}},
		`{rules: [{when: [{key: "connection.sni", values: ["a"]}]}]}`:                               {"ALLOW", Verdict{Perhaps: both}},
		`{action: DENY, rules: [{from: [{source: {notNamespaces: ["a"]}}]}, {}]}`:                   {"DENY", Verdict{Surely: both, Perhaps: both, Always: []int{1}}},
		`{action: DENY, rules: [{to: [{operation: {notPorts: ["15012", "15017", "15443"]}}]}]}`:     {"DENY", Verdict{}},
		`{action: DENY, rules: [{to: [{operation: {paths: ["/debug"], ports: ["15012"]}}]}]}`:       {"DENY", Verdict{Perhaps: []int{15012}}},
	} {
		p := PolicyOf(policyFrom(t, spec))
		if got := p.Verdict(both...); p.Action != want.action || !reflect.DeepEqual(got, want.Verdict) {
			t.Errorf("%s is\n%s %+v, want\n%+v", spec, p.Action, got, want)
		}
	}
}

func TestEnforced(t *testing.T) {
	t.Parallel()
	gateway := Workload{Labels: map[string]string{"istio": "eastwestgateway", "app": "istio-eastwestgateway", "istio.io/rev": "canary"}, Tags: []string{"prod"}}
	for _, test := range []struct {
		spec                string
		labels, annotations map[string]string
		want                bool
	}{
		{`{}`, nil, nil, true},
		{`{action: DENY}`, nil, nil, true},
		{`{action: AUDIT}`, nil, nil, false},
		{`{action: CUSTOM}`, nil, nil, false},
		{`{selector: {}}`, nil, nil, true},
		{`{selector: {matchLabels: {istio: eastwestgateway}}}`, nil, nil, true},
		{`{selector: {matchLabels: {istio: eastwestgateway, app: istio-eastwestgateway}}}`, nil, nil, true},
		{`{selector: {matchLabels: {istio: ingressgateway}}}`, nil, nil, false},
		{`{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: istio-eastwestgateway}]}`, nil, nil, false},
		{`{}`, map[string]string{"istio.io/rev": "canary"}, nil, true},
		{`{}`, map[string]string{"istio.io/rev": "prod"}, nil, true},
		{`{}`, map[string]string{"istio.io/rev": "old"}, nil, false},
		{`{}`, nil, map[string]string{"istio.io/dry-run": "true"}, false},
		{`{}`, nil, map[string]string{"istio.io/dry-run": "no"}, true}, // as istiod reads it
	} {
		p := policyFrom(t, test.spec)
		p.ObjectMeta = metav1.ObjectMeta{Labels: test.labels, Annotations: test.annotations}
		if got := PolicyOf(p).Enforced(gateway); got != test.want {
			t.Errorf("%s %v %v: enforced is %v", test.spec, test.labels, test.annotations, got)
		}
	}
	ofGatewayAPI := Workload{Labels: map[string]string{"gateway.networking.k8s.io/gateway-name": "east-west"}}
	if PolicyOf(policyFrom(t, `{}`)).Enforced(ofGatewayAPI) {
		t.Error("a policy without a target binds a gateway of the Gateway API")
	}
}
