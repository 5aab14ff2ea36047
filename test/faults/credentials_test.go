package faults

import (
	"regexp"
	"strings"
	"testing"
)

func credentialFaults() []fault {
	return []fault{
		{
			name: "no remote secret", tells: []string{"fail secret-missing cluster2"}, asks: []string{remote},
			breaks: kubectl(primary, "delete", "secret", remoteSecret),
		},
		{
			name: "not a kubeconfig", tells: []string{"fail secret-malformed cluster2"},
			breaks: func(t *testing.T, b *bed) { t.Helper(); b.setKubeconfig(t, "nonsense") },
		},
		{
			name: "a kubeconfig that runs a program", tells: []string{"fail secret-malformed cluster2"},
			breaks: replaceLine("token", "\n    exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never}"),
		},
		{
			name: "the address of the caller's own machine", tells: []string{"fail secret-localhost cluster2"},
			breaks: replaceLine("server", "https://127.0.0.1:6443"),
		},
		{
			name: "an address at which nobody answers", tells: []string{"fail secret-unreachable cluster2"},
			breaks: func(t *testing.T, b *bed) {
				t.Helper()
				replaceLine("server", strings.Replace(b.Clusters[1].Server, ":6443", ":9", 1))(t, b)
			},
		},
		{
			name: "another cluster's CA", tells: []string{"fail secret-ca cluster2"},
			breaks: func(t *testing.T, b *bed) {
				t.Helper()
				ca := b.kubectl(t, primary, "config", "view", "--raw", "-o", `jsonpath={.clusters[?(@.name=="cluster1")].cluster.certificate-authority-data}`)
				replaceLine("certificate-authority-data", ca)(t, b)
			},
		},
		{
			// attach-remote keeps an address that it finds there, but not this one.
			name: "the address of another API server", tells: []string{"fail secret-ca cluster2"},
			breaks: func(t *testing.T, b *bed) {
				t.Helper()
				replaceLine("server", b.Clusters[0].Server)(t, b)
			},
		},
		{
			name: "a token that was never given", tells: []string{"fail token-expired cluster2"},
			breaks: replaceLine("token", "nonsense"),
		},
		{
			// By this istiod gives the remote up.
			name: "a token that was changed", tells: []string{"fail token-expired cluster2"},
			breaks: func(t *testing.T, b *bed) {
				t.Helper()
				b.changeKubeconfig(t, strings.ReplaceAll(b.kubeconfig(t), "token: ", "token: x"))
			},
		},
		{
			name: "a token that was revoked", tells: []string{"fail token-missing cluster2"},
			breaks: kubectl(remote, "delete", "secret", readerToken),
		},
		{
			name: "a token that nobody fills in", tells: []string{"fail token-missing cluster2"},
			breaks: func(t *testing.T, b *bed) {
				t.Helper()
				b.Lab.Lab(t, "stop", remote, "kube-controller-manager")
				b.kubectl(t, remote, "patch", "secret", readerToken, "--type=json", "-p", `[{"op":"remove","path":"/data/token"}]`)
			},
			byHand: "the controller manager is down, which its own cluster's administrator sees to",
			fixes: func(t *testing.T, b *bed) {
				t.Helper()
				b.Lab.Lab(t, "start", remote, "kube-controller-manager")
				b.attach(t, remote) // it is another token
			},
		},
		{
			name: "two secrets of one cluster", tells: []string{"fail name-duplicate cluster2"},
			breaks: func(t *testing.T, b *bed) {
				t.Helper()
				b.create(t, primary, b.secretYAML(t, "mine", remote, b.kubeconfig(t)))
			},
		},
		{
			name: "one cluster under two names", tells: []string{"fail name-duplicate west"},
			breaks: func(t *testing.T, b *bed) {
				t.Helper()
				b.create(t, primary, b.secretYAML(t, "mine", "west", b.kubeconfig(t)))
			},
		},
		{
			name: "the primary's own name", tells: []string{"fail name-duplicate cluster1"},
			breaks: func(t *testing.T, b *bed) {
				t.Helper()
				b.create(t, primary, b.secretYAML(t, "mine", primary, b.kubeconfig(t)))
			},
		},
		{
			name: "the secret of a cluster that is gone", tells: []string{"fail secret-stale gone", "unknown reachable gone"},
			breaks: func(t *testing.T, b *bed) {
				t.Helper()
				gone := strings.Replace(b.kubeconfig(t), b.Clusters[1].Server, strings.Replace(b.Clusters[1].Server, ":6443", ":9", 1), 1)
				ca := b.kubectl(t, primary, "config", "view", "--raw", "-o", `jsonpath={.clusters[?(@.name=="cluster2")].cluster.certificate-authority-data}`)
				gone = regexp.MustCompile("token: .*").ReplaceAllString(gone, "token: another") // by its own, cluster2 would be known
				b.create(t, primary, b.secretYAML(t, "mine", "gone", strings.Replace(gone, ca, "", 1)))
			},
		},
		{
			name: "a secret where istiod does not look", tells: []string{"fail secret-namespace cluster1"},
			breaks: func(t *testing.T, b *bed) {
				t.Helper()
				b.createIn(t, primary, "default", b.secretYAML(t, "mine", "west", b.kubeconfig(t)))
			},
		},
		{
			name: "istiod may not read configmaps", tells: []string{"fail reader-rbac cluster2"},
			breaks: kubectl(remote, "patch", "clusterrole", "istio-reader-clusterrole-istio-system", "--type=json", "-p",
				`[{"op":"remove","path":"/rules/1/resources/7"},{"op":"replace","path":"/rules/11/resources","value":["bindings"]}]`),
		},
	}
}
