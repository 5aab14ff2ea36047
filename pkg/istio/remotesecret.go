package istio

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"istio.io/istio/pkg/kube/multicluster"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// Credentials are what istiod needs to read a remote cluster.
type Credentials struct {
	// Server is the API server's address, as the primary reaches it.
	Server string
	// TLSServerName is the name to check its certificate by; empty means the server's own.
	TLSServerName string
	// CA is the PEM bundle that its certificate is checked with.
	CA []byte
	// Token is the reader account's.
	Token []byte
	// Proxied is true when istiod is told to reach the server through a proxy.
	Proxied bool
}

// NotMadeYet stands, in a dry run, for credentials that only a cluster can make.
const NotMadeYet = "not-made-yet"

// Unmade is true for a remote secret whose credentials are still to be made.
func Unmade(secret *unstructured.Unstructured) bool {
	data, _, _ := unstructured.NestedStringMap(secret.Object, "data")
	for _, encoded := range data {
		kubeconfig, err := base64.StdEncoding.DecodeString(encoded)
		if credentials, parsed := ParseRemoteSecret(kubeconfig); err == nil && parsed == nil && string(credentials.Token) == NotMadeYet {
			return true
		}
	}
	return false
}

// Config is how a client uses the credentials, as istiod does.
func (c Credentials) Config() *rest.Config {
	return &rest.Config{
		Host: c.Server, BearerToken: string(c.Token),
		TLSClientConfig: rest.TLSClientConfig{CAData: c.CA, ServerName: c.TLSServerName},
	}
}

// RemoteCredentials is one key of a remote secret.
type RemoteCredentials struct {
	Credentials
	// Secret is the secret's name, UID its own, Cluster the key.
	Secret, UID, Cluster string
	// Created is when the secret was.
	Created time.Time
	// Err says why istiod does not use it.
	Err error
}

// Usable is true for credentials that a client other than istiod can use, too.
func (c RemoteCredentials) Usable() bool { return c.Err == nil && len(c.Token) > 0 }

// RemoteSecrets reads, from a primary, all that istiod is told of remote clusters.
func RemoteSecrets(ctx context.Context, client kubernetes.Interface, namespace string) ([]RemoteCredentials, error) {
	list, err := client.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{LabelSelector: wellknown.RemoteSecretSelector})
	if err != nil {
		return nil, err
	}
	return RemoteCredentialsOf(list.Items), nil
}

// RemoteCredentialsOf are those of all keys of remote secrets.
func RemoteCredentialsOf(secrets []corev1.Secret) []RemoteCredentials {
	var all []RemoteCredentials
	for _, secret := range secrets {
		for _, key := range RemoteSecretKeys(&secret) {
			credentials, err := ParseRemoteSecret(secret.Data[key])
			all = append(all, RemoteCredentials{Credentials: credentials, Secret: secret.Name, UID: string(secret.UID), Cluster: key, Created: secret.CreationTimestamp.Time, Err: err})
		}
	}
	return all
}

// RemoteSecretName is the name of the secret with a cluster's credentials.
func RemoteSecretName(cluster string) string { return wellknown.RemoteSecretPrefix + cluster }

// RemoteSecret makes the secret by which istiod learns of a remote cluster, as istioctl create-remote-secret writes
// it (istioctl/pkg/multicluster/remote_secret.go).
func RemoteSecret(namespace, cluster string, credentials Credentials) (*corev1.Secret, error) {
	kubeconfig := api.Config{
		Clusters: map[string]*api.Cluster{cluster: {
			Server:                   credentials.Server,
			TLSServerName:            credentials.TLSServerName,
			CertificateAuthorityData: credentials.CA,
		}},
		AuthInfos:      map[string]*api.AuthInfo{cluster: {Token: string(credentials.Token)}},
		Contexts:       map[string]*api.Context{cluster: {Cluster: cluster, AuthInfo: cluster}},
		CurrentContext: cluster,
	}
	if err := clientcmd.Validate(kubeconfig); err != nil {
		return nil, fmt.Errorf("the credentials for cluster %q make no valid kubeconfig: %w", cluster, err)
	}
	data, err := clientcmd.Write(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("writing the kubeconfig for cluster %q: %w", cluster, err)
	}
	return &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Name:        RemoteSecretName(cluster),
			Namespace:   namespace,
			Annotations: map[string]string{clusterNameAnnotation: cluster},
			Labels:      map[string]string{multicluster.MultiClusterSecretLabel: "true"},
		},
		Data: map[string][]byte{cluster: data},
	}, nil
}

// ParseRemoteSecret reads one key of a remote secret as istiod would. The error says why istiod would not use it.
func ParseRemoteSecret(kubeconfig []byte) (Credentials, error) {
	if len(kubeconfig) == 0 {
		return Credentials{}, errors.New("the kubeconfig is empty")
	}
	config, err := clientcmd.Load(kubeconfig)
	if err != nil {
		return Credentials{}, fmt.Errorf("the kubeconfig can't be read: %w", err)
	}
	if err := clientcmd.Validate(*config); err != nil {
		return Credentials{}, fmt.Errorf("the kubeconfig is not valid: %w", err)
	}
	current := config.Contexts[config.CurrentContext]
	if current == nil {
		return Credentials{}, fmt.Errorf("the kubeconfig has no context %q", config.CurrentContext)
	}
	cluster, user := config.Clusters[current.Cluster], config.AuthInfos[current.AuthInfo]
	if cluster == nil || user == nil {
		return Credentials{}, fmt.Errorf("context %q of the kubeconfig names a cluster or user that it does not have", config.CurrentContext)
	}
	credentials := Credentials{
		Server: cluster.Server, TLSServerName: cluster.TLSServerName,
		CA: cluster.CertificateAuthorityData, Token: []byte(user.Token), Proxied: cluster.ProxyURL != "",
	}
	for _, name := range slices.Sorted(maps.Keys(config.AuthInfos)) {
		if refused := refusedIn(config.AuthInfos[name]); refused != "" {
			return credentials, fmt.Errorf("the kubeconfig %s for its credentials, which istiod refuses", refused)
		}
	}
	return credentials, nil
}

// refusedIn says what istiod does not take from a kubeconfig that anybody may have written (pkg/kube, sanitizeKubeConfig).
func refusedIn(user *api.AuthInfo) string {
	switch {
	case user.Exec != nil:
		return "runs a program"
	case user.AuthProvider != nil && user.AuthProvider.Name != "oidc":
		return "asks the auth provider " + user.AuthProvider.Name
	case user.TokenFile != "" || user.ClientCertificate != "" || user.ClientKey != "":
		return "reads a file"
	}
	return ""
}

// TokenSecret makes the secret that the controller manager fills with a token of the reader account. The token lives
// as long as the secret (Kubernetes: "manually create an API token for a ServiceAccount").
func TokenSecret(namespace string) *corev1.Secret {
	return &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Name:        wellknown.ReaderTokenSecret,
			Namespace:   namespace,
			Annotations: map[string]string{corev1.ServiceAccountNameKey: wellknown.ReaderServiceAccount},
		},
		Type: corev1.SecretTypeServiceAccountToken,
	}
}

// TokenOf returns the token and CA of a token secret, or false while the controller manager has not filled it.
func TokenOf(secret *corev1.Secret) (ca, token []byte, filled bool) {
	ca, token = secret.Data[corev1.ServiceAccountRootCAKey], secret.Data[corev1.ServiceAccountTokenKey]
	return ca, token, len(ca) > 0 && len(token) > 0
}

// RemoteSecretKeys are the clusters that a remote secret speaks of, sorted.
func RemoteSecretKeys(secret *corev1.Secret) []string {
	var keys []string
	for key := range secret.Data {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
