package access

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// pluginImage is the plugin itself as an image, for a pod that runs it.
const pluginImage = "ghcr.io/kubectl-mesh/kubectl-mesh:test"

// administrator is an account that may do everything; its tokens are what exec plugins and token files give.
const administrator = `apiVersion: v1
kind: ServiceAccount
metadata: {name: administrator, namespace: kube-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: administrator}
subjects: [{kind: ServiceAccount, name: administrator, namespace: kube-system}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
`

// inPod runs the plugin in a pod, whose only configuration is its service account.
const inPod = `apiVersion: v1
kind: Pod
metadata: {name: plugin, namespace: kube-system}
spec:
  serviceAccountName: administrator
  restartPolicy: Never
  containers: [{name: plugin, image: "IMAGE", args: ["expose-istiod"]}]
`

// kubeconfigs are the two files of a user whose contexts are of every kind that kubectl takes.
type kubeconfigs struct {
	primary, remotes *api.Config
	folder           string
}

// file keeps something that a kubeconfig names.
func (k kubeconfigs) file(t *testing.T, name string, body []byte, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(k.folder, name)
	if err := os.WriteFile(path, body, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// write returns the files as KUBECONFIG has them.
func (k kubeconfigs) write(t *testing.T) string {
	t.Helper()
	var paths []string
	for name, config := range map[string]*api.Config{"primary.yaml": k.primary, "remotes.yaml": k.remotes} {
		path := filepath.Join(k.folder, name)
		if err := clientcmd.WriteToFile(*config, path); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return strings.Join(paths, string(filepath.ListSeparator))
}

// add makes a context with a cluster and a user of its own.
func add(config *api.Config, name string, cluster api.Cluster, user api.AuthInfo) {
	config.Clusters[name], config.AuthInfos[name] = &cluster, &user
	config.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name}
}

// token is one of the administrator's.
func token(t *testing.T, lab *labtest.Lab, cluster string) string {
	t.Helper()
	return strings.TrimSpace(lab.Kubectl(t, cluster, "-n", "kube-system", "create", "token", "administrator"))
}

// What kubectl takes from kubeconfigs the plugin takes, too; and what istiod can't be given of it is refused at once.
func TestKubeconfigs(t *testing.T) {
	lab := clusters(t)
	all, err := clientcmd.LoadFromFile(lab.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	k := kubeconfigs{api.NewConfig(), api.NewConfig(), t.TempDir()}
	manifest := k.file(t, "administrator.yaml", []byte(administrator), 0o600)
	for _, cluster := range []string{"cluster1", "cluster2"} {
		lab.Kubectl(t, cluster, "apply", "-f", manifest)
	}
	of := func(name string) (api.Cluster, api.AuthInfo) {
		return *all.Clusters[all.Contexts[name].Cluster].DeepCopy(), *all.AuthInfos[all.Contexts[name].AuthInfo].DeepCopy()
	}

	one, user := of("cluster1")
	credential := fmt.Sprintf(`{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":%q}}`, token(t, lab, "cluster1"))
	script := k.file(t, "login", []byte("#!/bin/sh\nprintf '%s' '"+credential+"'\n"), 0o700)
	add(k.primary, "exec", one, api.AuthInfo{Exec: &api.ExecConfig{
		Command: script, APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: api.NeverExecInteractiveMode,
	}})
	proxy, tunnels := httpProxy(t)
	proxied := one
	proxied.ProxyURL = proxy
	add(k.primary, "proxied", proxied, user)
	nobody := user
	nobody.Impersonate, nobody.ImpersonateGroups = "nobody", []string{"nobodies"}
	add(k.primary, "as-nobody", one, nobody)

	add(k.primary, "gone", one, api.AuthInfo{Exec: &api.ExecConfig{
		Command: "mesh-login-gone", APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: api.NeverExecInteractiveMode,
		InstallHint: "install mesh-login-gone",
	}})
	add(k.primary, "gcp", one, api.AuthInfo{AuthProvider: &api.AuthProviderConfig{Name: "gcp"}})

	two, _ := of("cluster2")
	add(k.remotes, "token-file", two, api.AuthInfo{TokenFile: k.file(t, "token", []byte(token(t, lab, "cluster2")), 0o600)})

	three, user := of("cluster3")
	certificate := user
	certificate.ClientCertificateData, certificate.ClientKeyData = nil, nil
	certificate.ClientCertificate = k.file(t, "client.crt", user.ClientCertificateData, 0o600)
	certificate.ClientKey = k.file(t, "client.key", user.ClientKeyData, 0o600)
	insecure := api.Cluster{Server: three.Server, InsecureSkipTLSVerify: true}
	add(k.remotes, "insecure", insecure, certificate)
	add(k.remotes, "proxied-remote", api.Cluster{Server: three.Server, CertificateAuthorityData: three.CertificateAuthorityData, ProxyURL: proxy}, user)
	// The machine's own address on the nodes' network is within reach of istiod, and in no certificate.
	named := three
	named.Server, named.TLSServerName = relay(t, machine(t, three.Server), three.Server), "kubernetes.default.svc"
	add(k.remotes, "named", named, user)
	direct, err := clientcmd.NewNonInteractiveClientConfig(*all, "cluster3", nil, nil).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	terminated, itsCA := terminator(t, direct)
	port := terminated[strings.LastIndex(terminated, ":"):]
	add(k.remotes, "terminated", api.Cluster{Server: "https://" + machine(t, three.Server) + port, CertificateAuthorityData: itsCA, TLSServerName: "example.com"}, api.AuthInfo{})
	add(k.remotes, "terminated-insecure", api.Cluster{Server: "https://" + machine(t, three.Server) + port, InsecureSkipTLSVerify: true}, api.AuthInfo{})

	user1 := *lab
	user1.Kubeconfig = k.write(t)
	attach := func(context string, args ...string) []string {
		return append([]string{"attach-remote", "south=" + context, "--context", "exec"}, args...)
	}

	user1.MustMesh(t, "install-primary", "--context", "exec", "--network", "network1", "-f", lab.Overlay)
	user1.MustMesh(t, "expose-istiod", "--context", "proxied", "-f", lab.Overlay)
	if tunnels.Load() == 0 {
		t.Error("proxy-url was passed by")
	}
	mustContain(t, user1.MustMesh(t, "attach-remote", "west=token-file", "--context", "exec").Stdout, "Attached to exec: west.")

	for context, says := range map[string][]string{
		"proxied-remote":      {"secret-proxy", "--remote-server " + three.Server},
		"terminated":          {"secret-ca", "--remote-server"},
		"terminated-insecure": {"secret-ca", "--remote-server"},
	} {
		r := user1.Mesh(t, attach(context)...)
		if r.Code != 1 {
			t.Errorf("to attach %s ends with exit code %d, not 1\n%s%s", context, r.Code, r.Stdout, r.Stderr)
		}
		mustContain(t, r.Stderr, append(says, "Nothing was written")...)
	}

	// Each takes the place of the one before it: istiod reads the cluster again, or the command fails.
	for _, way := range []struct {
		context string
		args    []string
		server  string
		name    string
	}{
		{"named", nil, named.Server, named.TLSServerName},
		{"insecure", []string{"--remote-server", three.Server}, three.Server, ""},
		{"proxied-remote", []string{"--remote-server", three.Server}, three.Server, ""},
	} {
		user1.MustMesh(t, attach(way.context, way.args...)...)
		given := secretOf(t, lab, "south")
		if given.Server != way.server || given.TLSServerName != way.name || given.ProxyURL != "" || given.InsecureSkipTLSVerify ||
			!bytes.Equal(given.CertificateAuthorityData, three.CertificateAuthorityData) {
			t.Errorf("of %s, istiod was given %+v", way.context, given)
		}
	}

	before := tunnels.Load()
	r := user1.MustMesh(t, "verify", "west=token-file", "south=insecure", "--context", "proxied", "--only", "not-synced", "-o", "wide")
	mustContain(t, r.Stdout, "not-synced  control-plane  1 of 1 replicas") // asked through a port-forward
	if tunnels.Load() == before {
		t.Error("proxy-url was passed by")
	}
	for context, says := range map[string]string{
		"as-nobody": "you may not create or patch", "gone": "mesh-login-gone", "gcp": "gke-gcloud-auth-plugin",
	} {
		r := user1.Mesh(t, "expose-istiod", "--context", context)
		if r.Code != 1 {
			t.Errorf("with context %s the exit code is %d, not 1", context, r.Code)
		}
		mustContain(t, r.Stderr, says)
	}

	lab.Lab(t, "push", pluginImage+"="+os.Getenv("KUBECTL_MESH_BIN"))
	lab.Kubectl(t, "cluster1", "apply", "-f", k.file(t, "pod.yaml", []byte(strings.ReplaceAll(inPod, "IMAGE", pluginImage)), 0o600))
	said := ended(t, lab, "cluster1", "kube-system", "plugin")
	mustContain(t, said, "istiod of exec is already published at 10.", "nothing was written", "Next: kubectl mesh attach-remote CONTEXT\n")
}

// machine is this machine's address on the network of the lab's nodes.
func machine(t *testing.T, server string) string {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	to, err := net.Dial("udp", target.Host) // which sends nothing
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	host, _, err := net.SplitHostPort(to.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	return host
}

// secretOf is what istiod was told of how to reach a cluster.
func secretOf(t *testing.T, lab *labtest.Lab, cluster string) api.Cluster {
	t.Helper()
	var secret struct{ Data map[string]string }
	out := lab.Kubectl(t, "cluster1", "-n", "istio-system", "get", "secret", "istio-remote-secret-"+cluster, "-o", "json")
	if err := json.Unmarshal([]byte(out), &secret); err != nil {
		t.Fatal(err)
	}
	body, err := base64.StdEncoding.DecodeString(secret.Data[cluster])
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.Load(body)
	if err != nil {
		t.Fatal(err)
	}
	return *config.Clusters[cluster]
}

// ended waits for a pod's end and returns what it said; it must have ended well.
func ended(t *testing.T, lab *labtest.Lab, cluster, namespace, pod string) string {
	t.Helper()
	lab.Kubectl(t, cluster, "-n", namespace, "wait", "pod/"+pod, "--for=jsonpath={.status.containerStatuses[0].state.terminated}", "--timeout=5m")
	said := lab.Kubectl(t, cluster, "-n", namespace, "logs", pod)
	if code := lab.Kubectl(t, cluster, "-n", namespace, "get", "pod", pod, "-o", "jsonpath={.status.containerStatuses[0].state.terminated.exitCode}"); code != "0" {
		t.Errorf("pod %s ended with %s:\n%s", pod, code, said)
	}
	return said
}
