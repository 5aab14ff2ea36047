package faults

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lateFaults are those of what came too late, or undoes what was done well.
func lateFaults() []fault {
	return []fault{
		{
			name: "annotated after istiod was told of the cluster", reports: []string{"fail annotation-late cluster2"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				m.attachLate(t, "")
			},
		},
		{
			name: "annotated late, with the certificate of another mesh", reports: []string{"fail cabundle-empty cluster2"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				const ofCluster2 = `jsonpath={.clusters[?(@.name=="cluster2")].cluster.certificate-authority-data}`
				m.attachLate(t, m.kubectl(t, primary, "config", "view", "--raw", "-o", ofCluster2))
			},
		},
		{
			name: "installed without istiod's address", reports: []string{"fail address-empty cluster2"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				m.kubectl(t, remote, "delete", "service", "istiod")
				m.kubectl(t, remote, "delete", "endpointslice", "istiod")
				m.installWithoutAddress(t)
			},
		},
		{
			name: "a policy that allows nothing in Istio's namespace", reports: []string{"fail gateway-policy cluster1"},
			breaks: policy(`{}`), tidies: withoutPolicies,
		},
		{
			name: "a policy that allows the gateway something else", reports: []string{"fail gateway-policy cluster1"},
			breaks: policy(`{selector: {matchLabels: {istio: eastwestgateway}}, rules: [{to: [{operation: {ports: ["15012", "15443"]}}]}]}`),
			tidies: withoutPolicies,
		},
		{
			name: "a policy that denies everything", reports: []string{"fail gateway-policy cluster1"},
			breaks: policy(`{action: DENY, rules: [{from: [{source: {namespaces: [shop]}}]}, {}]}`), tidies: withoutPolicies,
		},
	}
}

// policy makes an AuthorizationPolicy of Istio's namespace, and waits until the gateway heeds it.
func policy(spec string) func(t *testing.T, m *testMesh) {
	return func(t *testing.T, m *testMesh) {
		t.Helper()
		m.create(t, primary, "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: strict}\nspec: "+spec+"\n")
		m.awaitGateway(t, false)
	}
}

// withoutPolicies leaves no policy behind, once the remedy is seen to let the remote through.
func withoutPolicies(t *testing.T, m *testMesh) {
	t.Helper()
	m.awaitGateway(t, true)
	m.await(t, []string{})
	m.kubectl(t, primary, "delete", "authorizationpolicies", "--all")
}

// awaitGateway waits until the gateway lets new connections through to istiod, or none. Those that are there, such as
// the API servers', live on for a while.
func (m *testMesh) awaitGateway(t *testing.T, open bool) {
	t.Helper()
	address := m.kubectl(t, primary, "get", "service", "istio-eastwestgateway", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}")
	dialer := tls.Dialer{
		NetDialer: &net.Dialer{Timeout: 5 * time.Second},
		Config:    &tls.Config{ServerName: "istiod.istio-system.svc", InsecureSkipVerify: true},
	}
	until(t, fmt.Sprintf("the gateway is open: %t", open), func() (bool, string) {
		connection, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort(address, "15017"))
		if err != nil {
			return !open, err.Error()
		}
		connection.Close()
		return open, "a connection to " + address
	})
}

// attachLate tells istiod of the remote before its namespace is annotated. The webhooks get bundle, encoded, and the
// root certificates that are there go.
func (m *testMesh) attachLate(t *testing.T, bundle string) {
	t.Helper()
	secret := m.secretYAML(t, remoteSecret, remote, m.kubeconfig(t))
	m.kubectl(t, primary, "delete", "secret", remoteSecret)
	m.awaitForgotten(t)
	m.kubectl(t, remote, "annotate", "namespace", namespace, "topology.istio.io/controlPlaneClusters-")
	for _, injector := range []string{"istio-sidecar-injector", "istio-revision-tag-default"} {
		hooks := strings.Count(m.kubectl(t, remote, "get", "mutatingwebhookconfiguration", injector, "-o", `jsonpath={range .webhooks[*]}x{end}`), "x")
		var patches []string
		for i := range hooks {
			patches = append(patches, `{"op":"add","path":"/webhooks/`+string(rune('0'+i))+`/clientConfig/caBundle","value":"`+bundle+`"}`)
		}
		m.kubectl(t, remote, "patch", "mutatingwebhookconfiguration", injector, "--type=json", "-p", "["+strings.Join(patches, ",")+"]")
	}
	m.Kubectl(t, remote, "delete", "configmap", "--all-namespaces", "--field-selector", "metadata.name=istio-ca-root-cert")
	m.create(t, primary, secret)
	m.awaitSynced(t)
	m.kubectl(t, remote, "annotate", "namespace", namespace, "topology.istio.io/controlPlaneClusters="+primary)
}

// awaitForgotten waits until istiod no longer knows the remote.
func (m *testMesh) awaitForgotten(t *testing.T) { t.Helper(); m.awaitRemote(t, false) }

// awaitSynced waits until istiod has read the remote.
func (m *testMesh) awaitSynced(t *testing.T) { t.Helper(); m.awaitRemote(t, true) }

func (m *testMesh) awaitRemote(t *testing.T, synced bool) {
	t.Helper()
	until(t, fmt.Sprintf("istiod has read the remote: %t", synced), func() (bool, string) {
		known := m.Run(t, "istioctl", "--context", primary, "remote-clusters").Stdout
		line := ""
		for one := range strings.Lines(known) {
			if strings.HasPrefix(one, remote+" ") {
				line = one
			}
		}
		return synced && strings.Contains(line, "synced") || !synced && line == "" && known != "", known
	})
}

// installWithoutAddress installs the remote profile by Istio's guide, where the load balancer had no IP to tell.
func (m *testMesh) installWithoutAddress(t *testing.T) {
	t.Helper()
	overlay := filepath.Join(t.TempDir(), "remote.yaml")
	const profile = `apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: remote}
spec:
  profile: remote
  values:
    istiodRemote: {injectionPath: /inject/cluster/cluster2/net/network1}
    global: {meshID: mesh1, network: network1, multiCluster: {clusterName: cluster2}, remotePilotAddress: ""}
`
	if err := os.WriteFile(overlay, []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := m.Run(t, "istioctl", "install", "--context", remote, "-y", "--skip-confirmation", "-f", overlay, "-f", m.Overlay); r.Code != 0 {
		t.Fatalf("istioctl install: %s", r.Stderr)
	}
}
