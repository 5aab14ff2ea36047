package faults

import "testing"

// beginnings are faults of a mesh that has no remote yet.
func beginnings() []fault {
	return []fault{
		{
			name: "nothing is installed", tells: []string{"fail no-istiod cluster1"},
			breaks: func(*testing.T, *bed) {},
			byHand: "an istiod of the plugin's defaults does not get on with the lab's Envoy",
			mends:  func(t *testing.T, b *bed) { t.Helper(); b.install(t) },
		},
		{
			// The gateway was given an IP, and its port 443 comes with a hostname.
			name: "a hostname without port 443", tells: []string{"fail address-hostname cluster1"},
			breaks: lab("lb", primary, "hostname"),
			tidies: lab("lb", primary, "ip"),
		},
	}
}
