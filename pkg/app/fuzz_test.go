package app

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// FuzzMesh: whatever stands in a kubeconfig, in an argument, in --remote-server and in a remote secret, a mesh whose names are
// valid comes of it, or an error that says why not.
func FuzzMesh(f *testing.F) {
	const kubeconfig = `apiVersion: v1
kind: Config
current-context: east
clusters:
- {name: east, cluster: {server: "https://east.example:6443", certificate-authority-data: Y2E=}}
- {name: west, cluster: {server: "https://west.example:6443/", tls-server-name: west}}
contexts:
- {name: east, context: {cluster: east, user: one}}
- {name: west=, context: {cluster: west, user: one}}
users: [{name: one, user: {token: t}}]
`
	f.Add([]byte(kubeconfig), "", "west=", "https://10.0.0.1:6443", "https://west.example:6443", []byte("ca"))
	f.Add([]byte(kubeconfig), "east", "n=west=", "n=https://[::1]", "https://elsewhere", []byte("ca"))
	f.Add([]byte("clusters: [null]\ncontexts: [null, {name: a}]\nusers: [null]"), "a", "=", "https://%zz", "", []byte(nil))
	f.Add([]byte("{"), "", "", "=", "\x00", []byte("\x00"))
	f.Add([]byte("contexts: [{name: a, context: {cluster: none}}, {name: b, context: null}]"), "a", "b", "b=https://", "", []byte(nil))
	path := filepath.Join(f.TempDir(), "kubeconfig")
	f.Fuzz(func(t *testing.T, kubeconfig []byte, context, arg, server, secretServer string, secretCA []byte) {
		if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
			t.Fatal(err)
		}
		s := Session{Kubeconfig: genericclioptions.NewConfigFlags(false), Namespace: mesh.DefaultNamespace}
		s.Kubeconfig.KubeConfig, s.Kubeconfig.Context = &path, &context
		m, err := s.newMesh([]string{arg})
		if err == nil {
			err = addServers(m.Clusters, []string{server})
		}
		if err != nil {
			_, wrong := errors.AsType[*UsageError](err)
			if err.Error() == "" || !wrong && !strings.HasPrefix(err.Error(), "reading the kubeconfig: ") {
				t.Errorf("%T: %v", err, err)
			}
			return
		}
		for _, c := range m.Remotes() {
			if err := mesh.ValidateClusterName(c.Name); err != nil {
				t.Error(err)
			}
			if !strings.HasPrefix(strings.ToLower(c.Server), "https://") {
				t.Errorf("--remote-server %q becomes %q", server, c.Server)
			}
		}
		endpoints, err := cluster.Endpoints(s.Kubeconfig)
		if err != nil {
			t.Fatalf("a mesh was made of a kubeconfig that can't be read: %v", err)
		}
		for _, secret := range []snapshot.RemoteSecret{{Cluster: arg, Server: secretServer, CA: snapshot.Fingerprint(secretCA)}, {Cluster: arg, Server: server}} {
			contexts := []string{contextNamed(secret.Cluster, endpoints)}
			for _, candidate := range leadingTo(secret, unidentified(endpoints), "") {
				contexts = append(contexts, candidate.Context)
			}
			for _, context := range contexts {
				if context == "" {
					continue
				}
				if _, err := cluster.Connect(s.Kubeconfig, "x", context, false); err != nil && !strings.Contains(err.Error(), "context ") {
					t.Errorf("it says not of which context: %v", err)
				}
			}
		}
	})
}
