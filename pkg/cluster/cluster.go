// Package cluster turns kubeconfig contexts into connected clusters.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"istio.io/istio/pkg/kube"
)

// Rate limits of one cluster's client, as kubectl sets them (k8s.io/kubectl/pkg/cmd: DefaultQPS): the server has its
// own fairness, and client-go's default of 5 requests a second would make a hundred objects a matter of minutes.
const (
	queriesPerSecond = 50
	burst            = 300
)

// Cluster is one connected cluster.
type Cluster struct {
	kube.CLIClient
	// plain is the client for what upgrades connections.
	plain kube.CLIClient
	// Name is the cluster's name in the mesh, or its context where it has none yet.
	Name string
	// Context is the kubeconfig context.
	Context string
	// Server is the API server's address in the kubeconfig.
	Server string
	// TLSServerName is the name by which its certificate is checked, if the kubeconfig gives one.
	TLSServerName string
	// Proxy is where the kubeconfig's proxy-url leads, as HOST:PORT, if it gives one.
	Proxy string
	// Secret is the primary's remote secret whose credentials are used, where the kubeconfig has none.
	Secret string
}

// Set finds clusters by the names that they have in the mesh.
type Set map[string]*Cluster

// Contexts returns the names of the kubeconfig's contexts, sorted, and the current one.
func Contexts(flags *genericclioptions.ConfigFlags) (names []string, current string, err error) {
	raw, err := flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil, "", fmt.Errorf("reading the kubeconfig: %w", err)
	}
	for name := range raw.Contexts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, raw.CurrentContext, nil
}

// MissingFiles names the kubeconfig files that were looked for and are not there; empty when there is none. Those of
// KUBECONFIG that do not exist are left out by kubectl and its libraries without a word.
func MissingFiles(flags *genericclioptions.ConfigFlags) string {
	var missing []string
	for _, file := range flags.ToRawKubeConfigLoader().ConfigAccess().GetLoadingPrecedence() {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, file)
		}
	}
	return strings.Join(missing, ", ")
}

// InCluster is true in a pod with a service account: a command without a context is then about the pod's own cluster, as
// kubectl's are.
func InCluster() bool {
	_, err := rest.InClusterConfig()
	return err == nil
}

// Endpoint is where a context of the kubeconfig leads.
type Endpoint struct {
	Context string
	Server  string
	// CA is the PEM bundle that the server's certificate is checked with; empty when the kubeconfig gives none.
	CA []byte
}

// Endpoints returns where the contexts of the kubeconfig lead, by name. A context whose CA file can't be read is
// without one.
func Endpoints(flags *genericclioptions.ConfigFlags) ([]Endpoint, error) {
	raw, err := flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	var endpoints []Endpoint
	for _, name := range slices.Sorted(maps.Keys(raw.Contexts)) {
		c := raw.Clusters[raw.Contexts[name].Cluster]
		if c == nil {
			continue
		}
		ca := c.CertificateAuthorityData
		if len(ca) == 0 && c.CertificateAuthority != "" {
			if file, err := os.ReadFile(c.CertificateAuthority); err == nil {
				ca = file
			}
		}
		endpoints = append(endpoints, Endpoint{Context: name, Server: c.Server, CA: ca})
	}
	return endpoints, nil
}

// UnknownContextError says that the kubeconfig has no such context.
type UnknownContextError struct {
	Context string
	Known   []string
	// Missing is a kubeconfig that was looked for and does not exist, empty when there is none.
	Missing string
}

// Error names the contexts that there are.
func (e *UnknownContextError) Error() string {
	switch {
	case len(e.Known) == 0 && e.Missing != "":
		return fmt.Sprintf("there is no context %q: the kubeconfig %s does not exist", e.Context, e.Missing)
	case e.Missing != "":
		return fmt.Sprintf("there is no context %q in the kubeconfig; it has: %s (and %s does not exist)", e.Context, strings.Join(e.Known, ", "), e.Missing)
	case len(e.Known) == 0:
		return fmt.Sprintf("there is no context %q: the kubeconfig has no contexts", e.Context)
	}
	return fmt.Sprintf("there is no context %q in the kubeconfig; it has: %s", e.Context, strings.Join(e.Known, ", "))
}

// Connect makes the client of one context. Flags that name a server or credentials (--server, --token, --user, …)
// are about the primary, the cluster of --context; for the others only what holds for every cluster is kept
// (--kubeconfig, --as, --request-timeout, …). It calls no API server.
func Connect(flags *genericclioptions.ConfigFlags, name, contextName string, primary bool) (*Cluster, error) {
	config, err := forContext(flags, contextName, primary).ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("context %q: %w", contextName, err)
	}
	client, plain, err := clients(config)
	if err != nil {
		return nil, fmt.Errorf("context %q: %w", contextName, err)
	}
	return &Cluster{
		CLIClient: client, plain: plain, Name: name, Context: contextName,
		Server: config.Host, TLSServerName: config.ServerName, Proxy: proxyOf(config),
	}, nil
}

// clients are Istio's client whose requests are made again, and the one for what needs connections of its own.
func clients(config *rest.Config) (client, plain kube.CLIClient, err error) {
	if plain, err = kube.NewCLIClient(kube.NewClientConfigForRestConfig(config)); err != nil {
		return nil, nil, err
	}
	retrying, err := WithRetries(config)
	if err != nil {
		return nil, nil, err
	}
	client, err = kube.NewCLIClient(kube.NewClientConfigForRestConfig(retrying))
	return client, plain, err
}

// RESTConfig is that of the kubeconfig: requests made with it are not made again.
func (c *Cluster) RESTConfig() *rest.Config { return c.plain.RESTConfig() }

// proxyOf is the proxy that the kubeconfig names. One of the environment (HTTPS_PROXY) is not the cluster's matter.
func proxyOf(config *rest.Config) string {
	if config.Proxy == nil {
		return ""
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		return ""
	}
	proxy, err := config.Proxy(&http.Request{URL: target})
	if err != nil || proxy == nil {
		return ""
	}
	return proxy.Host
}

// ConnectWith makes the client of a cluster to which no context leads, with the credentials of a remote secret. Of the
// flags only --request-timeout holds: whom the user acts as elsewhere is nobody there. It calls no API server.
func ConnectWith(flags *genericclioptions.ConfigFlags, name, secret string, credentials *rest.Config) (*Cluster, error) {
	timeout, err := clientcmd.ParseTimeout(*flags.Timeout)
	if err != nil {
		return nil, fmt.Errorf("--request-timeout: %w", err)
	}
	config := wrapped(flags)(rest.CopyConfig(credentials))
	config.Timeout = timeout
	client, plain, err := clients(config)
	if err != nil {
		return nil, fmt.Errorf("secret %s: %w", secret, err)
	}
	return &Cluster{CLIClient: client, plain: plain, Name: name, Server: config.Host, TLSServerName: config.ServerName, Secret: secret}, nil
}

// forContext copies the flags for one context.
func forContext(flags *genericclioptions.ConfigFlags, contextName string, primary bool) *genericclioptions.ConfigFlags {
	scoped := genericclioptions.NewConfigFlags(false)
	scoped.WrapConfigFn = wrapped(flags)
	scoped.KubeConfig = flags.KubeConfig
	scoped.CacheDir = flags.CacheDir
	scoped.Impersonate = flags.Impersonate
	scoped.ImpersonateUID = flags.ImpersonateUID
	scoped.ImpersonateGroup = flags.ImpersonateGroup
	scoped.ImpersonateUserExtra = flags.ImpersonateUserExtra
	scoped.Timeout = flags.Timeout
	scoped.DisableCompression = flags.DisableCompression
	if contextName != "" {
		scoped.Context = &contextName
	}
	if primary {
		scoped.ClusterName = flags.ClusterName
		scoped.AuthInfoName = flags.AuthInfoName
		scoped.APIServer = flags.APIServer
		scoped.TLSServerName = flags.TLSServerName
		scoped.Insecure = flags.Insecure
		scoped.CertFile = flags.CertFile
		scoped.KeyFile = flags.KeyFile
		scoped.CAFile = flags.CAFile
		scoped.BearerToken = flags.BearerToken
		scoped.Username = flags.Username
		scoped.Password = flags.Password
	}
	return scoped
}

// UID is the cluster's identity: that of its namespace kube-system, the same through whichever context one looks.
func (c *Cluster) UID(ctx context.Context) (string, error) {
	ns, err := c.Kube().CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	return string(ns.UID), nil
}

// wrapped sets the limits that a command-line tool wants, and what the flags have to set.
func wrapped(flags *genericclioptions.ConfigFlags) func(*rest.Config) *rest.Config {
	return func(config *rest.Config) *rest.Config {
		config.QPS = queriesPerSecond
		config.Burst = burst
		if flags.WrapConfigFn != nil {
			config = flags.WrapConfigFn(config)
		}
		return config
	}
}
