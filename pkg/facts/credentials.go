package facts

import "github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"

// SameCredentials is true for a remote secret that holds the wanted credentials already. Plan and execution must not differ about
// it: an istiod that sees the credentials in a secret change may permanently stop watching the cluster (istio/istio#59875), so
// that the secret is deleted first. Fingerprints are compared; blanks around a token or a certificate do not change them.
func SameCredentials(held, wanted snapshot.RemoteSecret) bool {
	return held.Error == "" && held.Secret == wanted.Secret &&
		held.Server == wanted.Server && held.TLSServerName == wanted.TLSServerName &&
		wanted.CA != "" && held.CA == wanted.CA && wanted.Token != "" && held.Token == wanted.Token
}
