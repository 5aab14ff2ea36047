package snapshot

import "time"

// RemoteSecret is one key of a secret that carries the label istio/multiCluster=true.
type RemoteSecret struct {
	Secret string `json:"secret"`
	// SecretUID is the secret's own.
	SecretUID string `json:"secretUID,omitempty"`
	// Cluster is the secret's key: the name under which istiod knows the cluster.
	Cluster string `json:"cluster"`
	// Server is the API server that istiod is told to call.
	Server string `json:"server,omitempty"`
	// TLSServerName is the name by which istiod checks its certificate, if it is told one.
	TLSServerName string `json:"tlsServerName,omitempty"`
	// CA and Token are fingerprints.
	CA    string `json:"ca,omitempty"`
	Token string `json:"token,omitempty"`
	// Created is when the secret was; Ends is when the token does, zero for one without an end.
	Created time.Time `json:"created,omitzero"`
	Ends    time.Time `json:"ends,omitzero"`
	// UID is that of the cluster to which it leads; empty where nobody could tell.
	UID string `json:"uid,omitempty"`
	// Unidentified is why its own credentials did not tell the UID; nil where they did, and where they were not tried.
	Unidentified *CredentialUse `json:"unidentified,omitempty"`
	// Error says why istiod can't use it.
	Error string `json:"error,omitempty"`
	// Use is what came of using it; nil when that was not tried.
	Use *CredentialUse `json:"use,omitempty"`
}

// ReaderToken is the Secret with the reader account's token.
type ReaderToken struct {
	// Filled is true once the token controller has put a token in.
	Filled bool `json:"filled"`
	// Token and CA are the fingerprints of what is in it.
	Token string `json:"token,omitempty"`
	CA    string `json:"ca,omitempty"`
}

// CredentialUse is what came of using a remote secret's credentials against its API server, from where the command
// runs.
type CredentialUse struct {
	// Problem is one of the words below, empty when the API server took the credentials.
	Problem CredentialProblem `json:"problem,omitempty"`
	// Error is the API server's or the network's own.
	Error string `json:"error,omitempty"`
	// Denied is what istiod needs to read there and may not.
	Denied []Permission `json:"denied,omitempty"`
}

// CredentialProblem is why credentials were of no use.
type CredentialProblem string

// What can be wrong with credentials.
const (
	// ServerUnreachable: no connection; from elsewhere it may be otherwise.
	ServerUnreachable CredentialProblem = "unreachable"
	// ServerUntrusted: its certificate is not signed by the secret's CA, or is for another name.
	ServerUntrusted CredentialProblem = "untrusted"
	// TokenRefused: the API server does not know the token.
	TokenRefused CredentialProblem = "refused"
	// UseUnknown: something came in between here or on the way, which says nothing of them.
	UseUnknown CredentialProblem = "unknown"
)
