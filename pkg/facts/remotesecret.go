package facts

import (
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// SecretsOf are the remote secrets of a primary that are for a cluster; istiod uses the first.
func SecretsOf(home *snapshot.Cluster, cluster string) []snapshot.RemoteSecret {
	if home == nil {
		return nil
	}
	var secrets []snapshot.RemoteSecret
	for _, secret := range home.RemoteSecrets {
		if secret.Cluster == cluster {
			secrets = append(secrets, secret)
		}
	}
	return secrets
}

// SecretOf is the remote secret that istiod of a primary uses for a cluster.
func SecretOf(home *snapshot.Cluster, cluster string) (snapshot.RemoteSecret, bool) {
	secrets := SecretsOf(home, cluster)
	if len(secrets) == 0 {
		return snapshot.RemoteSecret{}, false
	}
	return secrets[0], true
}

// IsFor says whether a secret is for a cluster; known is false where nobody can tell. Of one whose UID could not be read its
// token tells: one that is not that of the cluster's own account is of no use there.
func IsFor(secret snapshot.RemoteSecret, seen *snapshot.Cluster) (leads, known bool) {
	switch {
	case seen.Secret != "" && seen.Secret == secret.Secret: // it was read with this very secret
		return true, true
	case secret.UID != "" && seen.UID != "":
		return secret.UID == seen.UID, true
	case hasTokenOf(secret, seen):
		return true, true
	}
	return false, false
}

// UIDBehind is the UID of the cluster to which a secret leads whose own credentials did not tell: the one whose reader account
// has the very same token, since a token is one cluster's alone, or the only one that was reached at the secret's address. It
// is empty where nobody can tell.
func UIDBehind(secret snapshot.RemoteSecret, clusters map[string]*snapshot.Cluster) string {
	atAddress := map[string]bool{}
	for _, c := range clusters {
		switch {
		case c.UID == "":
		case hasTokenOf(secret, c):
			return c.UID
		case SameServer(c.Server, secret.Server):
			atAddress[c.UID] = true
		}
	}
	if len(atAddress) == 1 {
		for uid := range atAddress {
			return uid
		}
	}
	return ""
}

// hasTokenOf is true for a secret with the token of a cluster's own reader account.
func hasTokenOf(secret snapshot.RemoteSecret, seen *snapshot.Cluster) bool {
	return secret.Token != "" && seen.ReaderToken != nil && seen.ReaderToken.Token == secret.Token
}

// SameServer is true for two spellings of one API server's address.
func SameServer(a, b string) bool {
	return a != "" && strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/")
}

// SameCluster is true for two that are known to be one: the UID of kube-system is the same.
func SameCluster(a, b *snapshot.Cluster) bool { return a.UID != "" && a.UID == b.UID }
