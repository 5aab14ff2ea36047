package release

import "testing"

func TestTakesOverCredentials(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]bool{
		"1.29.1": false, "1.30.0": false, "1.30.3": false, "1.30.4": true, "1.30.4-distroless": true, "1.31.0": true, "2.0.0": true,
		"": false, "latest": false, "1.31-alpha.0123456789": false,
	} {
		if got := Of(tag).TakesOverCredentials(); got != want {
			t.Errorf("%q: %v", tag, got)
		}
	}
	if (Release{}).TakesOverCredentials() {
		t.Error("a release that is not known takes changed credentials over")
	}
}
