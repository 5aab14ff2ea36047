package faults

import (
	"encoding/base64"
	"strings"
	"testing"
)

const (
	remoteSecret = "istio-remote-secret-" + remote
	readerToken  = "istio-reader-service-account-istio-remote-secret-token"
)

// kubeconfig is the one in the remote secret.
func (m *testMesh) kubeconfig(t *testing.T) string {
	t.Helper()
	encoded := m.kubectl(t, primary, "get", "secret", remoteSecret, "-o", "jsonpath={.data."+remote+"}")
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return string(decoded)
}

// setKubeconfig puts another remote secret in place of the one that is there. An istiod that saw it change would be
// another fault.
func (m *testMesh) setKubeconfig(t *testing.T, text string) {
	t.Helper()
	m.kubectl(t, primary, "delete", "secret", remoteSecret)
	m.create(t, primary, m.secretYAML(t, remoteSecret, remote, text))
}

// changeKubeconfig writes another kubeconfig into the remote secret.
func (m *testMesh) changeKubeconfig(t *testing.T, text string) {
	t.Helper()
	m.kubectl(t, primary, "patch", "secret", remoteSecret, "--type=merge", "-p",
		`{"data":{"`+remote+`":"`+base64.StdEncoding.EncodeToString([]byte(text))+`"}}`)
}

// replaceLine gives the kubeconfig in the remote secret another value for a key that it has once.
func replaceLine(key, value string) func(t *testing.T, m *testMesh) {
	return func(t *testing.T, m *testMesh) {
		t.Helper()
		lines := strings.Split(m.kubeconfig(t), "\n")
		found := false
		for i, line := range lines {
			before, _, has := strings.Cut(line, key+": ")
			if has && strings.Trim(before, " -") == "" {
				lines[i], found = before+key+": "+value, true
			}
		}
		if !found {
			t.Fatalf("the remote secret's kubeconfig has no %s", key)
		}
		m.setKubeconfig(t, strings.Join(lines, "\n"))
	}
}

// secretYAML is a remote secret with the kubeconfig of the real one.
func (*testMesh) secretYAML(t *testing.T, name, cluster, kubeconfig string) string {
	t.Helper()
	return `apiVersion: v1
kind: Secret
metadata:
  name: ` + name + `
  labels: {istio/multiCluster: "true"}
data:
  ` + cluster + `: ` + base64.StdEncoding.EncodeToString([]byte(kubeconfig))
}
