package istio

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func service(name string, spec corev1.ServiceSpec) corev1.Service {
	return corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: spec}
}

func ports(numbers ...int32) corev1.ServiceSpec {
	spec := corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, ClusterIP: "10.0.0.1"}
	for _, number := range numbers {
		spec.Ports = append(spec.Ports, corev1.ServicePort{Name: "http-" + string(rune('z'-len(spec.Ports))), Port: number, NodePort: 30000 + number})
	}
	return spec
}

func TestAnalyzeServices(t *testing.T) {
	t.Parallel()
	headless := ports(80)
	headless.ClusterIP = corev1.ClusterIPNone
	other := ports(80)
	other.ClusterIP, other.Ports[0].NodePort = "10.9.9.9", 31999
	balanced := ports(80)
	balanced.Type = corev1.ServiceTypeLoadBalancer
	east := ClusterServices{"east", []corev1.Service{
		service("same", ports(80, 90)), service("moved", ports(80)), service("assigned", ports(80)), service("headless", ports(80)), service("both", ports(80)),
	}}
	west := ClusterServices{"west", []corev1.Service{
		service("same", ports(80, 90)), service("moved", ports(81)), service("assigned", other), service("late", ports(70)),
	}}
	south := ClusterServices{"south", []corev1.Service{
		service("headless", headless), service("late", ports(71)), service("alone", ports(1)), service("moved", ports(80)),
		service("both", func() corev1.ServiceSpec { s := balanced; s.Ports = ports(81).Ports; return s }()),
	}}
	want := map[string][]string{
		"west": {`The service moved in namespace "shop" is inconsistent across clusters ["east" "west"], which can lead to undefined behaviors. The inconsistent behaviors are: service ports are inconsistent.`},
		"south": {
			`The service both in namespace "shop" is inconsistent across clusters ["east" "south"], which can lead to undefined behaviors. The inconsistent behaviors are: service ports are inconsistent; service type is inconsistent.`,
			`The service headless in namespace "shop" is inconsistent across clusters ["east" "south"], which can lead to undefined behaviors. The inconsistent behaviors are: service has mixed mode like headless and clusterIP.`,
			`The service late in namespace "shop" is inconsistent across clusters ["south" "west"], which can lead to undefined behaviors. The inconsistent behaviors are: service ports are inconsistent.`,
		},
	}
	for range 20 { // the analyzer walks over maps
		findings := AnalyzeServices(t.Context(), []ClusterServices{east, west, south})
		for _, cluster := range []string{"east", "west", "south"} {
			var said []string
			for _, f := range findings[cluster] {
				said = append(said, f.Text)
				if f.Code != InconsistentService || f.Level != "Warning" || f.Kind != "Service" || f.Namespace != "shop" || f.Name == "" || !slices.Contains(f.Clusters, cluster) {
					t.Errorf("%+v", f)
				}
			}
			if !slices.Equal(said, want[cluster]) {
				t.Fatalf("of %s it says\n%s\nnot\n%s", cluster, strings.Join(said, "\n"), strings.Join(want[cluster], "\n"))
			}
		}
	}
	if east.Services[0].Spec.Ports[0].NodePort == 0 || east.Services[0].Spec.Ports[0].Port != 80 {
		t.Error("the Services that were given are changed")
	}
}

// Not parallel: the analyzer keeps what it was told in a variable of its package.
func TestAnalyzeNetworks(t *testing.T) {
	const networks = `networks:
  network1: {endpoints: [{fromRegistry: east}, {fromRegistry: Kubernetes}, {fromCidr: 10.0.0.0/8}], gateways: [{address: 192.0.2.1, port: 15443}]}
  network2: {endpoints: [{fromRegistry: west}], gateways: [{address: 192.0.2.2, port: 15443}]}
`
	configMap := &metav1.ObjectMeta{Namespace: "istio-system", Name: "istio"}
	for _, test := range []struct {
		yaml  string
		known []string
		says  []string
		fails bool
	}{
		{networks, []string{"east", "west"}, nil, false},
		{networks, []string{"east"}, []string{"Unknown service registry west in network network2"}, false}, // though it was known a moment ago
		{networks, nil, []string{"Unknown service registry east in network network1", "Unknown service registry west in network network2"}, false},
		{"networks: {}", nil, nil, false},
		{"", nil, nil, false},
		{"networks: [", nil, nil, true},
	} {
		findings, err := AnalyzeNetworks(t.Context(), configMap, test.yaml, test.known)
		var said []string
		for _, f := range findings {
			said = append(said, f.Text)
			if f.Code != UnknownRegistry || f.Level != "Error" || f.Kind != "MeshNetworks" || f.Name != "istio" {
				t.Errorf("%+v", f)
			}
		}
		if !slices.Equal(said, test.says) || (err != nil) != test.fails {
			t.Errorf("%q with %q known says %q and %v, not %q", test.yaml, test.known, said, err, test.says)
		}
	}
}
