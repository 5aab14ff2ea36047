package snapshot

// Obstacles is what may stand in the way of an installation; `preflight` looks at it.
type Obstacles struct {
	// LoadBalancers counts the cluster's Services of type LoadBalancer, by whether they have an address.
	LoadBalancers LoadBalancers `json:"loadBalancers"`
	// Cloud is true when the nodes say that a cloud provider made them.
	Cloud bool `json:"cloud,omitempty"`
	// Restricted are the namespaces that ask for sidecars and whose pod security standard forbids their set-up.
	Restricted []string `json:"restricted,omitempty"`
	// PodSecurity is why a dry-run pod with the capabilities of a sidecar's set-up was not admitted, empty when it was.
	PodSecurity string `json:"podSecurity,omitempty"`
}

// LoadBalancers counts Services of that type.
type LoadBalancers struct {
	Served  int `json:"served"`
	Pending int `json:"pending"`
	// Hostname is one that a Service of that type in the cluster has got as its address, if any has.
	Hostname string `json:"hostname,omitempty"`
}
