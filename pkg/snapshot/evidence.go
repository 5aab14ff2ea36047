package snapshot

// Evidence is what only a live call can give; `verify` gathers it, a command that is about to write does not.
type Evidence struct {
	// Injection says what became of a pod that was created in a server-side dry run; nil when that was not tried.
	Injection *Injection `json:"injection,omitempty"`
	// Ports are those of the east-west gateway, called from where the command runs; of the primary only.
	Ports []Port `json:"ports,omitempty"`
	// GatewayPolicies are those that bind the east-west gateway's pods; of the primary only.
	GatewayPolicies []GatewayPolicy `json:"gatewayPolicies,omitempty"`
	// Analysis is what Istio's own analyzers say of all clusters' objects taken together, and of this cluster's among them.
	Analysis []AnalysisMessage `json:"analysis,omitempty"`
	// Clock is the API server's; nil when it was not asked for the time.
	Clock *Clock `json:"clock,omitempty"`
}

// Clock is an API server's, compared with this machine's.
type Clock struct {
	// Ahead is by how many seconds it is ahead, to the second.
	Ahead int `json:"ahead"`
}

// Injection is what became of a dry-run pod.
type Injection struct {
	// Error says why it got no sidecar of this cluster, empty when it did.
	Error string `json:"error,omitempty"`
}

// Port is one port of the east-west gateway, as a client finds it.
type Port struct {
	Number int `json:"number"`
	// Connected is true when there was a connection, with or without a handshake.
	Connected bool `json:"connected"`
	// Error says why no TLS handshake was made; empty when one was.
	Error string `json:"error,omitempty"`
	// Trusted is true when istiod's certificate was signed by the mesh's root.
	Trusted bool `json:"trusted"`
}

// GatewayPolicy is an AuthorizationPolicy with what it says of the gateway's ports that lead to istiod, to a caller of whom
// nothing is known.
type GatewayPolicy struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Action is ALLOW or DENY.
	Action string `json:"action"`
	// Surely are the ports for which one of its rules holds, Perhaps those for which one may.
	Surely  []int `json:"surely,omitempty"`
	Perhaps []int `json:"perhaps,omitempty"`
	// Always are the indexes of its rules that have no condition at all.
	Always []int `json:"always,omitempty"`
}
