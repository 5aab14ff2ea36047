package snapshot

// Permission is one thing that the API server may allow.
type Permission struct {
	Verb      string `json:"verb"`
	Group     string `json:"group,omitempty"`
	Resource  string `json:"resource"`
	Namespace string `json:"namespace,omitempty"`
	// Name is that of the one object which it is about; empty means all.
	Name string `json:"name,omitempty"`
}
