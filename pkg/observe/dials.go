package observe

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
