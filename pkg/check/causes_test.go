package check

import "testing"

// causes are those by which people's meshes broke, from issue threads of istio/istio and istio.io and from Istio's code.
// Their ids are stable; each must be a check.
func causes() []string {
	return []string{
		"address-empty", "address-hostname", "address-pending", "annotation-late", "annotation-missing", "cabundle-empty",
		"external-off", "firewall", "injection-not-ready", "leftover", "mesh-id", "mixed-ambient", "name-default",
		"name-duplicate", "name-mismatch", "network-label", "network-overlap", "reader-rbac", "revision-mismatch",
		"root-cm-missing", "roots-differ", "secret-ca", "secret-localhost", "secret-malformed", "secret-namespace",
		"secret-stale", "secret-unreachable", "service-asymmetric", "slice-missing", "sync-partial", "token-expired",
		"token-missing", "trust-domain", "version-skew",
	}
}

func TestEveryCauseIsAsked(t *testing.T) {
	t.Parallel()
	for _, id := range causes() {
		if c, err := Find(id); err != nil || !c.Verify {
			t.Errorf("verify does not ask %s: %v", id, err)
		}
	}
}
