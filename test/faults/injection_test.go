package faults

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
)

const tagWebhook = "istio-revision-tag-default"

func injectionFaults() []fault {
	return []fault{
		{
			name: "no injector", reports: []string{"fail revision-mismatch cluster2"},
			breaks: kubectl(remote, "delete", "mutatingwebhookconfiguration", "istio-sidecar-injector", tagWebhook),
		},
		{
			name: "an injector that names another cluster", reports: []string{"fail name-mismatch cluster2"},
			breaks: kubectl(remote, "patch", "mutatingwebhookconfiguration", tagWebhook, "--type=json", "-p",
				`[{"op":"replace","path":"/webhooks/0/clientConfig/service/path","value":"/inject/cluster/west/net/network1"}]`),
		},
		{
			name: "a secret that names the cluster otherwise", reports: []string{"fail name-mismatch west"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				kubeconfig := m.kubeconfig(t)
				m.kubectl(t, primary, "delete", "secret", remoteSecret)
				m.create(t, primary, m.secretYAML(t, remoteSecret, "west", kubeconfig))
			},
			tidies: backToOwnName,
		},
		{
			name: "istiod gave up on a webhook", reports: []string{"fail cabundle-empty cluster2"},
			breaks: whileForbidden("update", "mutatingwebhookconfigurations", `[{"op":"replace","path":"/rules/12/verbs","value":["get","list","watch"]}]`,
				kubectl(remote, "patch", "mutatingwebhookconfiguration", tagWebhook, "--type=json", "-p", `[{"op":"remove","path":"/webhooks/0/clientConfig/caBundle"}]`),
				failedPatches),
		},
		{
			name: "a webhook that is not called", reports: []string{"fail injection cluster2"},
			breaks: kubectl(remote, "delete", "mutatingwebhookconfiguration", tagWebhook),
		},
		{
			name: "a gateway that came too early", reports: []string{"fail injection-not-ready cluster2"},
			breaks: create(remote, `apiVersion: v1
kind: Pod
metadata: {name: early, labels: {istio: eastwestgateway, sidecar.istio.io/inject: "false"}}
spec: {containers: [{name: istio-proxy, image: auto}]}
`),
		},
		{
			name: "an injector of a revision that is gone", reports: []string{"warn leftover cluster2"},
			breaks: create(remote, `apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: istio-sidecar-injector-old, labels: {app: sidecar-injector, istio.io/rev: old}}
webhooks:
- name: rev.namespace.sidecar-injector.istio.io
  admissionReviewVersions: [v1]
  sideEffects: None
  clientConfig: {service: {name: istiod-old, namespace: istio-system, path: /inject}}
  objectSelector: {matchLabels: {istio.io/rev: old}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
`),
		},
	}
}

const readerRole = "istio-reader-clusterrole-" + namespace

// whileForbidden takes a right from istiod in the remote, does something that it would undo, and gives the right back
// when istiod has given up, which failures counts.
func whileForbidden(verb, resource, withoutVerb string, do action, failures func(t *testing.T, m *testMesh) int) action {
	return func(t *testing.T, m *testMesh) {
		t.Helper()
		rules := m.kubectl(t, remote, "get", "clusterrole", readerRole, "-o", "jsonpath={.rules}")
		before := failures(t, m)
		m.kubectl(t, remote, "patch", "clusterrole", readerRole, "--type=json", "-p", withoutVerb)
		until(t, "istiod may not "+verb+" "+resource, func() (bool, string) {
			account := "--as=system:serviceaccount:" + namespace + ":istio-reader-service-account"
			r := m.Run(t, "kubectl", "--context", remote, "-n", namespace, "auth", "can-i", verb, resource, account)
			return r.Code != 0, r.Stdout
		})
		do(t, m)
		until(t, "istiod gives up", func() (bool, string) {
			now := failures(t, m)
			return now > before, fmt.Sprintf("%d failures before, and %d now", before, now)
		})
		m.kubectl(t, remote, "patch", "clusterrole", readerRole, "--type=merge", "-p", `{"rules":`+rules+`}`)
	}
}

// failedPatches counts istiod's failures to write a caBundle. It does not try again until the webhook changes.
func failedPatches(t *testing.T, m *testMesh) int {
	t.Helper()
	pod := m.istiods(t, ".metadata.name")[0]
	metrics := m.kubectl(t, primary, "get", "--raw", "/api/v1/namespaces/"+namespace+"/pods/"+pod+":15014/proxy/metrics")
	found := regexp.MustCompile(`webhook_patch_failures_total{name="` + tagWebhook + `",reason="webhook_update_failure"} (\d+)`).FindStringSubmatch(metrics)
	if found == nil {
		return 0
	}
	failures, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return failures
}

// backToOwnName sees that the mesh is well with the remote's new name, and gives it the old one.
func backToOwnName(t *testing.T, m *testMesh) {
	t.Helper()
	remotes := m.remotes
	t.Cleanup(func() { m.remotes = remotes })
	m.remotes = []string{"west"}
	m.await(t, nil)
	m.kubectl(t, primary, "delete", "secret", "istio-remote-secret-west")
	m.remotes = remotes
	m.await(t, []string{"fail secret-missing cluster2"}, remote)
	m.attach(t, remote, "--force-conflicts")
}
