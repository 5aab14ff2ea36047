package faults

import "testing"

func clusterFaults() []fault {
	late := &proxy{}
	return []fault{
		{
			name: "an API server that hangs", reports: []string{"unknown reachable cluster2"}, asks: []string{"--request-timeout=2s"},
			breaks: lab("pause", remote, "kube-apiserver"),
			byHand: "who runs the API server must find out what ails it",
			fixes:  lab("resume", remote, "kube-apiserver"),
		},
		{
			name: "one cluster under two contexts", reports: []string{"fail same-cluster twin"}, asks: []string{remote, "twin"}, once: true,
			breaks: config("set-context", "twin", "--cluster=cluster1", "--user=cluster1-admin"),
			byHand: "the fix is not to name it",
			fixes:  config("delete-context", "twin"),
		},
		{
			name: "a clock that is late", reports: []string{"fail clock-skew cluster2"}, asks: []string{remote + "=late"}, once: true,
			breaks: late.start,
			byHand: "a machine's clock is not set by a command of kubectl's",
			fixes:  late.stop,
		},
	}
}

// config changes the user's kubeconfig.
func config(args ...string) action {
	return func(t *testing.T, m *testMesh) {
		t.Helper()
		m.kubectl(t, primary, append([]string{"config"}, args...)...)
	}
}
