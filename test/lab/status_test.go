package lab

import (
	"strings"
	"testing"
)

func TestStatusTable(t *testing.T) {
	running := func(name string) ComponentStatus { return ComponentStatus{Name: name, PID: 1, Running: true} }
	status := Status{
		Lab: "example", Kubeconfig: "/labs/example/kubeconfig", Bin: "/labs/example/bin", IstioOverlay: "/labs/example/istio.yaml",
		Components: []ComponentStatus{{Name: "serve", Log: "/labs/example/hub/logs/serve.log"}},
		Clusters: []ClusterStatus{
			{
				Name: "cluster1", Network: "network1", Server: "https://10.252.1.11:6443", PodCIDR: "10.129.0.0/16",
				LBPool: "10.251.1.0/24", LoadBalancer: LoadBalancerHostname, Ready: true,
				Components: []ComponentStatus{running("etcd"), running("kubelet")},
			},
			{
				Name: "cluster2", Network: "network2", Server: "https://10.252.1.12:6443", Nodeless: true,
				LBPool: "10.251.2.0/24", LoadBalancer: LoadBalancerNone,
				Lacks: "etcd is paused; its log is /labs/example/cluster2/logs/etcd.log",
				Components: []ComponentStatus{
					{Name: "etcd", PID: 1, Running: true, Paused: true}, {Name: "kube-apiserver"},
				},
			},
		},
	}
	var text strings.Builder
	if err := status.Print(&text); err != nil {
		t.Fatal(err)
	}
	golden(t, "status.golden", text.String())
}
