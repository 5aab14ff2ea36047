package check

import (
	"slices"
	"testing"
)

func remoteScenarios() []scenario {
	return slices.Concat(credentialScenarios(), profileScenarios(), syncScenarios())
}

func TestRemote(t *testing.T) {
	t.Parallel()
	play(t, "remote.txt", remoteScenarios())
}
