package plan

// ApplyGateway installs the east-west gateway.
type ApplyGateway struct {
	// Revision is that of the istiod which manages the gateway; empty is the default one.
	Revision     string
	Network      string
	SourceRanges []string
	Annotations  map[string]string
	// Address is the user's, if given.
	Address string
	// WebhookPorts are those of named revisions, by revision, at which a hostname's injector is called.
	WebhookPorts map[string]int32
	// Port443 keeps the port at which an earlier release had a hostname's injector called.
	Port443 bool
	// OnlyForHostname makes the step a second pass that adds what a hostname needs, and nothing when the gateway's
	// address is an IP.
	OnlyForHostname bool
}

func (ApplyGateway) describe() description { return writes() }

// ApplyExposure publishes istiod through the gateway.
type ApplyExposure struct {
	// WebhookPort is the revision's own port for webhooks; 0 for none.
	WebhookPort int32
	// OnlyForHostname as in ApplyGateway.
	OnlyForHostname bool
}

func (ApplyExposure) describe() description { return writes() }

// ApplyCustomHosts adds the gateway's hostnames to the names that an istiod's certificate is for, and does nothing when the
// gateway's address is an IP.
type ApplyCustomHosts struct{ Deployment string }

func (ApplyCustomHosts) describe() description { return writes() }

// AwaitAddress waits until the east-west gateway has an external address.
type AwaitAddress struct{}

func (AwaitAddress) describe() description { return description{provides: true} }
