package snapshot

import "time"

// Traffic is what probes in the clusters found when they called each other.
type Traffic struct {
	// Namespace is where the probes ran.
	Namespace string `json:"namespace"`
	// Unready says of clusters why they had no working probe.
	Unready map[string]string `json:"unready,omitempty"`
	// Unpullable are those of them that could not pull the probe's image.
	Unpullable []string `json:"unpullable,omitempty"`
	// Unprobed are those of them of whose probe nothing is known: the API server gave no answer, or the time was over.
	Unprobed []string `json:"unprobed,omitempty"`
	Calls    []Call   `json:"calls"`
	// Dials are handshakes made from pods without a sidecar, so that no proxy answers for the other side.
	Dials []Dial `json:"dials,omitempty"`
	// Undialled says of clusters why none were made from there.
	Undialled map[string]string `json:"undialled,omitempty"`
	// Policies are those that may have forbidden calls.
	Policies []Policy `json:"policies,omitempty"`
}

// Call sums up the calls from one cluster to one Service in one protocol.
type Call struct {
	From string `json:"from"`
	// To is the cluster in which alone the Service has endpoints; empty for the one that has them everywhere.
	To       string `json:"to,omitempty"`
	Protocol string `json:"protocol"`
	Sent     int    `json:"sent"`
	Answered int    `json:"answered"`
	// ByCluster counts the answers by the cluster that gave them.
	ByCluster map[string]int `json:"byCluster,omitempty"`
	// Peers are the identities of the caller that servers saw, without repeats; empty text for none.
	Peers []string `json:"peers,omitempty"`
	// P50 and P99 are the median and the 99th percentile of how long an answer took, in nanoseconds.
	P50 time.Duration `json:"p50"`
	P99 time.Duration `json:"p99"`
	// Error is the last error that a call had, if any had one.
	Error string `json:"error,omitempty"`
}

// Purpose is what a port is called for.
type Purpose string

// What ports are called for.
const (
	// ToIstiod is what a remote's proxies call at the gateway: port 15012.
	ToIstiod Purpose = "istiod"
	// ToWebhook is what a remote's API server calls there: port 15017, or of a hostname the
	// revision's own.
	ToWebhook Purpose = "webhook"
	// ToAPIServer is what istiod calls in a remote.
	ToAPIServer Purpose = "api-server"
)

// Dial is a TLS handshake that was made from a pod of the probe's, or tried.
type Dial struct {
	// From is the cluster of the pod.
	From string `json:"from"`
	// To is the cluster that was called.
	To      string  `json:"to"`
	Purpose Purpose `json:"purpose"`
	// Address is HOST:PORT.
	Address string `json:"address"`
	// Connected is true when there was a connection, with or without a handshake.
	Connected bool `json:"connected"`
	// Error says why there was no handshake; empty when there was one.
	Error string `json:"error,omitempty"`
	// Trusted is true when the certificate is for the right name and signed by whom the caller trusts: by the mesh's root at
	// the gateway, by the remote secret's CA at an API server.
	Trusted bool `json:"trusted"`
}

// Policy is an AuthorizationPolicy that is about the calls between probes, or about those to the gateway.
type Policy struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Action is ALLOW, DENY, CUSTOM or AUDIT.
	Action string `json:"action"`
	// Probes and Gateway say whose callers it is about.
	Probes  bool `json:"probes,omitempty"`
	Gateway bool `json:"gateway,omitempty"`
}
