package faults

import "testing"

// beginnings are faults of a mesh that has no remote yet.
func beginnings() []fault {
	return []fault{
		{
			name: "nothing is installed", reports: []string{"fail no-istiod cluster1"},
			breaks: func(*testing.T, *testMesh) {},
			byHand: "an istiod of the plugin's defaults does not get on with the lab's Envoy",
			fixes:  func(t *testing.T, m *testMesh) { t.Helper(); m.install(t) },
		},
		{
			// The gateway was given an IP, and istiod's certificate is for a hostname only when it is told so.
			name: "a hostname that istiod does not have", reports: []string{"fail address-hostname cluster1"},
			breaks: lab("lb", primary, "hostname"),
			tidies: lab("lb", primary, "ip"),
		},
	}
}
