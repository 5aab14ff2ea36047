package istio

import (
	"bytes"
	"encoding/base64"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"istio.io/istio/pkg/kube"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

func TestRemoteSecret(t *testing.T) {
	t.Parallel()
	for _, credentials := range []Credentials{
		{Server: "https://10.0.0.1:6443", CA: []byte("pem"), Token: []byte("secret-token")},
		{Server: "https://proxy.example/k8s/clusters/c-1", TLSServerName: "api.example", CA: []byte("pem"), Token: []byte("a:b\n#c")},
	} {
		secret, err := RemoteSecret("mesh-system", "west", credentials)
		if err != nil {
			t.Fatal(err)
		}
		if secret.Name != "istio-remote-secret-west" || secret.Namespace != "mesh-system" || secret.Kind != "Secret" ||
			secret.Labels["istio/multiCluster"] != "true" || secret.Annotations["networking.istio.io/cluster"] != "west" {
			t.Errorf("istioctl would not know it: %+v", secret.ObjectMeta)
		}
		if keys := RemoteSecretKeys(secret); !slices.Equal(keys, []string{"west"}) {
			t.Fatalf("it speaks of %v", keys)
		}
		got, err := ParseRemoteSecret(secret.Data["west"])
		if err != nil || !reflect.DeepEqual(got, credentials) {
			t.Errorf("what was written as %+v is read as %+v (%v)", credentials, got, err)
		}
		config, err := kube.NewUntrustedRestConfig(secret.Data["west"])
		if err != nil || config.Host != credentials.Server || config.ServerName != credentials.TLSServerName ||
			config.BearerToken != string(credentials.Token) || !bytes.Equal(config.CAData, credentials.CA) {
			t.Errorf("istiod reads it otherwise: %v", err)
		}
	}
	if _, err := RemoteSecret("istio-system", "west", Credentials{Token: []byte("secret-token")}); err == nil ||
		!strings.Contains(err.Error(), `the credentials for cluster "west" make no valid kubeconfig`) || strings.Contains(err.Error(), "secret-token") {
		t.Errorf("credentials without a server: %v", err)
	}
}

func kubeconfig(user string) string {
	ca := base64.StdEncoding.EncodeToString([]byte("pem"))
	return "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n" +
		"clusters: [{name: k, cluster: {server: 'https://api.example', certificate-authority-data: " + ca + "}}]\nusers: " + user + "\n"
}

// What is refused here istiod refuses, and the other way round.
func TestParseRemoteSecret(t *testing.T) {
	t.Parallel()
	refused := "the kubeconfig %s for its credentials, which istiod refuses"
	for _, test := range []struct {
		name, kubeconfig string
		says             string
	}{
		{"a token", kubeconfig("[{name: u, user: {token: t}}]"), ""},
		{"basic", kubeconfig("[{name: u, user: {username: a, password: b}}]"), ""},
		{"oidc", kubeconfig("[{name: u, user: {auth-provider: {name: oidc}}}]"), ""},
		{"empty", "", "the kubeconfig is empty"},
		{"no yaml", "{", "the kubeconfig can't be read: "},
		{"nothing in it", "{}", "the kubeconfig is not valid: "},
		{"no such context", strings.Replace(kubeconfig("[]"), "current-context: c", "current-context: d", 1), "the kubeconfig is not valid: "},
		{"no current context", strings.Replace(kubeconfig("[{name: u, user: {token: t}}]"), "current-context: c\n", "", 1), `the kubeconfig has no context ""`},
		{"no such user", kubeconfig("[]"), "the kubeconfig is not valid: "},
		{"a program", kubeconfig("[{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never}}}]"),
			strings.Replace(refused, "%s", "runs a program", 1)},
		{"an auth provider", kubeconfig("[{name: u, user: {auth-provider: {name: gcp}}}]"), strings.Replace(refused, "%s", "asks the auth provider gcp", 1)},
		{"a file", kubeconfig("[{name: u, user: {tokenFile: /var/run/token}}]"), strings.Replace(refused, "%s", "reads a file", 1)},
		{"a program of a user that is not used", kubeconfig("[{name: u, user: {token: t}}, {name: other, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never}}}]"),
			strings.Replace(refused, "%s", "runs a program", 1)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseRemoteSecret([]byte(test.kubeconfig))
			switch {
			case test.says == "" && err != nil:
				t.Errorf("it is refused: %v", err)
			case test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)):
				t.Errorf("it says %v, want %s", err, test.says)
			}
			if _, istiods := kube.NewUntrustedRestConfig([]byte(test.kubeconfig)); (istiods == nil) != (err == nil) {
				t.Errorf("we say %v, istiod %v", err, istiods)
			}
		})
	}
}

func TestParseRemoteSecretBehindAProxy(t *testing.T) {
	t.Parallel()
	for server, proxied := range map[string]bool{"server: 'https://api.example'": false, "proxy-url: 'http://proxy.example', server: 'https://api.example'": true} {
		text := strings.Replace(kubeconfig("[{name: u, user: {token: t}}]"), "server: 'https://api.example'", server, 1)
		if credentials, err := ParseRemoteSecret([]byte(text)); err != nil || credentials.Proxied != proxied {
			t.Errorf("%s: proxied is %t (%v)", server, credentials.Proxied, err)
		}
	}
}

func FuzzParseRemoteSecret(f *testing.F) {
	for _, seed := range []string{"", "{", "null", "contexts: [null]\nusers: [null]\nclusters: [null]", kubeconfig("[]"),
		kubeconfig("[{name: u, user: {token: t}}]"), kubeconfig("[{name: u, user: null}]"), kubeconfig("[{name: u, user: {exec: null}}]")} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		credentials, err := ParseRemoteSecret(data)
		if err == nil && credentials.Server == "" {
			t.Errorf("credentials that lead nowhere are taken: %q", data)
		}
	})
}

func TestTokenSecret(t *testing.T) {
	t.Parallel()
	secret := TokenSecret("mesh-system")
	if secret.Name != "istio-reader-service-account-istio-remote-secret-token" || secret.Namespace != "mesh-system" ||
		secret.Type != corev1.SecretTypeServiceAccountToken || secret.Annotations[corev1.ServiceAccountNameKey] != wellknown.ReaderServiceAccount {
		t.Errorf("nobody would fill it: %+v", secret)
	}
	object, err := Unstructured(secret)
	if err != nil || object.Object["data"] != nil {
		t.Errorf("applying it would take the token away: %v, %v", object, err)
	}
	for _, test := range []struct {
		data   map[string][]byte
		filled bool
	}{
		{nil, false}, {map[string][]byte{"token": []byte("t")}, false}, {map[string][]byte{"ca.crt": []byte("c")}, false},
		{map[string][]byte{"token": []byte("t"), "ca.crt": []byte("c"), "namespace": []byte("n")}, true},
	} {
		ca, token, filled := TokenOf(&corev1.Secret{Data: test.data})
		if filled != test.filled || filled && (string(ca) != "c" || string(token) != "t") {
			t.Errorf("of %v: %q, %q, %v", test.data, ca, token, filled)
		}
	}
}
