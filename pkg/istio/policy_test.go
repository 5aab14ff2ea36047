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

func TestPolicyOf(t *testing.T) {
	t.Parallel()
	both := []int{15012, 15017}
	for spec, want := range map[string]Policy{
		`{}`:                          {Action: "ALLOW"},
		`{action: DENY}`:              {Action: "DENY"},
		`{rules: [{}]}`:               {Action: "ALLOW", Surely: both, Perhaps: both, Always: []int{0}},
		`{action: DENY, rules: [{}]}`: {Action: "DENY", Surely: both, Perhaps: both, Always: []int{0}},
		`{rules: [{to: [{operation: {ports: ["15012"]}}]}]}`:                                        {Action: "ALLOW", Surely: []int{15012}, Perhaps: []int{15012}},
		`{rules: [{to: [{operation: {notPorts: ["15012"]}}]}]}`:                                     {Action: "ALLOW", Surely: []int{15017}, Perhaps: []int{15017}},
		`{rules: [{to: [{operation: {ports: ["15012"]}}, {operation: {ports: ["15017"]}}]}]}`:       {Action: "ALLOW", Surely: both, Perhaps: both},
		`{rules: [{to: [{operation: {ports: ["443"]}}]}]}`:                                          {Action: "ALLOW"},
		`{rules: [{to: [{operation: {methods: ["GET"]}}]}]}`:                                        {Action: "ALLOW", Perhaps: both},
		`{rules: [{from: [{source: {ipBlocks: ["10.0.0.0/8"]}}]}]}`:                                 {Action: "ALLOW", Perhaps: both},
		`{rules: [{from: [{source: {principals: ["*"]}}], to: [{operation: {ports: ["15017"]}}]}]}`: {Action: "ALLOW", Perhaps: []int{15017}},
		`{rules: [{when: [{key: "connection.sni", values: ["a"]}]}]}`:                               {Action: "ALLOW", Perhaps: both},
		`{action: DENY, rules: [{from: [{source: {notNamespaces: ["a"]}}]}, {}]}`:                   {Action: "DENY", Surely: both, Perhaps: both, Always: []int{1}},
		`{action: DENY, rules: [{to: [{operation: {notPorts: ["15012", "15017", "15443"]}}]}]}`:     {Action: "DENY"},
		`{action: DENY, rules: [{to: [{operation: {paths: ["/debug"], ports: ["15012"]}}]}]}`:       {Action: "DENY", Perhaps: []int{15012}},
	} {
		if got := policyOf(policyFrom(t, spec), both); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is\n%+v, want\n%+v", spec, got, want)
		}
	}
}

func TestBound(t *testing.T) {
	t.Parallel()
	gateway := Workload{Labels: map[string]string{"istio": "eastwestgateway", "app": "istio-eastwestgateway", "istio.io/rev": "canary"}, Tags: []string{"prod"}}
	for _, test := range []struct {
		spec                string
		labels, annotations map[string]string
		want                bool
	}{
		{`{}`, nil, nil, true},
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
		if got := gateway.bound(p); got != test.want {
			t.Errorf("%s %v %v: bound is %v", test.spec, test.labels, test.annotations, got)
		}
	}
	ofGatewayAPI := Workload{Labels: map[string]string{"gateway.networking.k8s.io/gateway-name": "east-west"}}
	if ofGatewayAPI.bound(policyFrom(t, `{}`)) {
		t.Error("a policy without a target binds a gateway of the Gateway API")
	}
}
