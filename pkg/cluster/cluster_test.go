package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// flags are those of a user whose kubeconfig is the given text.
func flags(t *testing.T, kubeconfig string) *genericclioptions.ConfigFlags {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	f := genericclioptions.NewConfigFlags(true)
	f.KubeConfig = &path
	return f
}

const kubeconfig = `apiVersion: v1
kind: Config
current-context: east
clusters:
- {name: e, cluster: {server: "https://east.example:6443", certificate-authority-data: cGVt}}
- {name: w, cluster: {server: "https://west.example:6443", tls-server-name: api.west, certificate-authority: ca.pem}}
- {name: s, cluster: {server: "https://south.example:6443", certificate-authority: gone.pem}}
users:
- {name: u, user: {token: users-token}}
contexts:
- {name: west, context: {cluster: w, user: u}}
- {name: east, context: {cluster: e, user: u, namespace: elsewhere}}
- {name: south, context: {cluster: s, user: u}}
- {name: broken, context: {cluster: gone, user: u}}
`

func TestContexts(t *testing.T) {
	t.Parallel()
	names, current, err := Contexts(flags(t, kubeconfig))
	if want := []string{"broken", "east", "south", "west"}; err != nil || !slices.Equal(names, want) || current != "east" {
		t.Errorf("got %v, %q, %v", names, current, err)
	}
	if names, current, err := Contexts(flags(t, "{}")); err != nil || len(names) != 0 || current != "" {
		t.Errorf("of an empty kubeconfig: %v, %q, %v", names, current, err)
	}
	for _, read := range []func(*genericclioptions.ConfigFlags) error{
		func(f *genericclioptions.ConfigFlags) error { _, _, err := Contexts(f); return err },
		func(f *genericclioptions.ConfigFlags) error { _, err := Endpoints(f); return err },
	} {
		if err := read(flags(t, "not: [a kubeconfig")); err == nil {
			t.Error("a kubeconfig that can't be read is taken")
		}
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	f := flags(t, kubeconfig)
	// A file is meant relative to the kubeconfig.
	if err := os.WriteFile(filepath.Join(filepath.Dir(*f.KubeConfig), "ca.pem"), []byte("of the file"), 0o600); err != nil {
		t.Fatal(err)
	}
	endpoints, err := Endpoints(f)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range endpoints {
		got = append(got, fmt.Sprintf("%s %s %q", e.Context, e.Server, e.CA))
	}
	want := []string{
		`east https://east.example:6443 "pem"`, `south https://south.example:6443 ""`, `west https://west.example:6443 "of the file"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnknownContext(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		`there is no context "x": the kubeconfig has no contexts`:          &UnknownContextError{Context: "x"},
		`there is no context "x" in the kubeconfig; it has: east, west`:    &UnknownContextError{Context: "x", Known: []string{"east", "west"}},
		`wrapped: there is no context "y": the kubeconfig has no contexts`: fmt.Errorf("wrapped: %w", &UnknownContextError{Context: "y"}),
	} {
		var unknown *UnknownContextError
		if err.Error() != want || !errors.As(err, &unknown) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// Flags about one server or its credentials are the primary's; sending them to the remotes would hand one cluster's
// token to another.
func TestFlagsAreScoped(t *testing.T) {
	t.Parallel()
	f := flags(t, kubeconfig)
	for _, set := range []struct {
		flag  *string
		value string
	}{
		{f.APIServer, "https://override.example"}, {f.BearerToken, "flags-token"}, {f.TLSServerName, "override"}, {f.Impersonate, "jane"},
		{f.Timeout, "7s"}, {f.Context, "south"}, {f.Namespace, "elsewhere"},
	} {
		*set.flag = set.value
	}
	insecure := true
	f.Insecure = &insecure
	f.ImpersonateGroup = &[]string{"admins"}

	primary, err := forContext(f, "west", true).ToRESTConfig()
	if err != nil {
		t.Fatal(err)
	}
	if primary.Host != "https://override.example" || primary.BearerToken != "flags-token" || primary.ServerName != "override" || !primary.Insecure {
		t.Errorf("of the primary's flags only this is left: %+v", primary)
	}
	remote, err := forContext(f, "east", false).ToRESTConfig()
	if err != nil {
		t.Fatal(err)
	}
	if remote.Host != "https://east.example:6443" || remote.BearerToken != "users-token" || remote.ServerName != "" || remote.Insecure {
		t.Errorf("the remote gets what is the primary's: host %s, server name %q, insecure %v", remote.Host, remote.ServerName, remote.Insecure)
	}
	for name, config := range map[string]struct {
		user    string
		groups  []string
		timeout string
		qps     float32
		burst   int
	}{
		"primary": {primary.Impersonate.UserName, primary.Impersonate.Groups, primary.Timeout.String(), primary.QPS, primary.Burst},
		"remote":  {remote.Impersonate.UserName, remote.Impersonate.Groups, remote.Timeout.String(), remote.QPS, remote.Burst},
	} {
		if config.user != "jane" || !slices.Equal(config.groups, []string{"admins"}) || config.timeout != "7s" {
			t.Errorf("the %s is asked as %s of %v, with a timeout of %s", name, config.user, config.groups, config.timeout)
		}
		if config.qps != queriesPerSecond || config.burst != burst {
			t.Errorf("the %s is asked %v times a second, %d at once", name, config.qps, config.burst)
		}
	}
	if *f.Context != "south" {
		t.Errorf("the user's own flags have changed: %s", *f.Context)
	}
}

func TestConnect(t *testing.T) {
	t.Parallel()
	f := flags(t, `apiVersion: v1
kind: Config
clusters: [{name: w, cluster: {server: "https://west.example:6443", tls-server-name: api.west}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: ctx, context: {cluster: w, user: u}}]
`)
	c, err := Connect(f, "west", "ctx", false)
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "west" || c.Context != "ctx" || c.Server != "https://west.example:6443" || c.TLSServerName != "api.west" {
		t.Errorf("got %s, %s, %s, %s", c.Name, c.Context, c.Server, c.TLSServerName)
	}
	if _, err := Connect(f, "x", "gone", false); err == nil || err.Error() != `context "gone": context "gone" does not exist` {
		t.Errorf("got %v", err)
	}
}
