package faults

import (
	"regexp"
	"strings"
	"testing"
)

func credentialFaults() []fault {
	return []fault{
		{
			name: "no remote secret", reports: []string{"fail secret-missing cluster2"}, asks: []string{remote},
			breaks: kubectl(primary, "delete", "secret", remoteSecret),
		},
		{
			name: "not a kubeconfig", reports: []string{"fail secret-malformed cluster2"},
			breaks: func(t *testing.T, m *testMesh) { t.Helper(); m.setKubeconfig(t, "nonsense") },
		},
		{
			name: "a kubeconfig that runs a program", reports: []string{"fail secret-malformed cluster2"},
			breaks: replaceLine("token", "\n    exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never}"),
		},
		{
			name: "the address of the caller's own machine", reports: []string{"fail secret-localhost cluster2"},
			breaks: replaceLine("server", "https://127.0.0.1:6443"),
		},
		{
			name: "an address at which nobody answers", reports: []string{"fail secret-unreachable cluster2"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				replaceLine("server", strings.Replace(m.Clusters[1].Server, ":6443", ":9", 1))(t, m)
			},
		},
		{
			name: "another cluster's CA", reports: []string{"fail secret-ca cluster2"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				ca := m.kubectl(t, primary, "config", "view", "--raw", "-o", `jsonpath={.clusters[?(@.name=="cluster1")].cluster.certificate-authority-data}`)
				replaceLine("certificate-authority-data", ca)(t, m)
			},
		},
		{
			// attach-remote keeps an address that it finds there, but not this one.
			name: "the address of another API server", reports: []string{"fail secret-ca cluster2"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				replaceLine("server", m.Clusters[0].Server)(t, m)
			},
		},
		{
			name: "a token that was never given", reports: []string{"fail token-expired cluster2"},
			breaks: replaceLine("token", "nonsense"),
		},
		{
			// By this istiod gives the remote up.
			name: "a token that was changed", reports: []string{"fail token-expired cluster2"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				m.changeKubeconfig(t, strings.ReplaceAll(m.kubeconfig(t), "token: ", "token: x"))
			},
		},
		{
			name: "a token that was revoked", reports: []string{"fail token-missing cluster2"},
			breaks: kubectl(remote, "delete", "secret", readerToken),
		},
		{
			name: "a token that nobody fills in", reports: []string{"fail token-missing cluster2"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				m.Lab.Lab(t, "stop", remote, "kube-controller-manager")
				m.kubectl(t, remote, "patch", "secret", readerToken, "--type=json", "-p", `[{"op":"remove","path":"/data/token"}]`)
			},
			byHand: "the controller manager is down, which its own cluster's administrator sees to",
			fixes: func(t *testing.T, m *testMesh) {
				t.Helper()
				m.Lab.Lab(t, "start", remote, "kube-controller-manager")
				m.attach(t, remote) // it is another token
			},
		},
		{
			name: "two secrets of one cluster", reports: []string{"fail name-duplicate cluster2"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				m.create(t, primary, m.secretYAML(t, "mine", remote, m.kubeconfig(t)))
			},
		},
		{
			name: "one cluster under two names", reports: []string{"fail name-duplicate west"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				m.create(t, primary, m.secretYAML(t, "mine", "west", m.kubeconfig(t)))
			},
		},
		{
			name: "the primary's own name", reports: []string{"fail name-duplicate cluster1"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				m.create(t, primary, m.secretYAML(t, "mine", primary, m.kubeconfig(t)))
			},
		},
		{
			name: "the secret of a cluster that is gone", reports: []string{"fail secret-stale gone", "unknown reachable gone"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				gone := strings.Replace(m.kubeconfig(t), m.Clusters[1].Server, strings.Replace(m.Clusters[1].Server, ":6443", ":9", 1), 1)
				ca := m.kubectl(t, primary, "config", "view", "--raw", "-o", `jsonpath={.clusters[?(@.name=="cluster2")].cluster.certificate-authority-data}`)
				gone = regexp.MustCompile("token: .*").ReplaceAllString(gone, "token: another") // by its own, cluster2 would be known
				m.create(t, primary, m.secretYAML(t, "mine", "gone", strings.Replace(gone, ca, "", 1)))
			},
		},
		{
			name: "a secret where istiod does not look", reports: []string{"fail secret-namespace cluster1"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				m.createIn(t, primary, "default", m.secretYAML(t, "mine", "west", m.kubeconfig(t)))
			},
		},
		{
			name: "istiod may not read configmaps", reports: []string{"fail reader-rbac cluster2"},
			breaks: kubectl(remote, "patch", "clusterrole", "istio-reader-clusterrole-istio-system", "--type=json", "-p",
				`[{"op":"remove","path":"/rules/1/resources/7"},{"op":"replace","path":"/rules/11/resources","value":["bindings"]}]`),
		},
	}
}
