package cmd

import (
	"runtime/debug"
	"testing"
)

func TestBuiltFrom(t *testing.T) {
	t.Parallel()
	clone := []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "c0ffee"}, {Key: "vcs.modified", Value: "false"}}
	changed := []debug.BuildSetting{{Key: "vcs.revision", Value: "c0ffee"}, {Key: "vcs.modified", Value: "true"}}
	for _, test := range []struct {
		name    string
		stamped source
		info    debug.BuildInfo
		want    source
	}{
		{"make build", source{version: "0463e40"}, debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, source{version: "0463e40"}},
		{"a release", source{"v0.1.0", "c0ffee"}, debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: changed},
			source{"v0.1.0", "c0ffee"}},
		{"go install of a release", source{}, debug.BuildInfo{Main: debug.Module{Version: "v0.1.0"}}, source{version: "v0.1.0"}},
		{"go install in a clone", source{}, debug.BuildInfo{Main: debug.Module{Version: "v0.1.1-0.20261125-c0ffee"}, Settings: clone},
			source{"v0.1.1-0.20261125-c0ffee", "c0ffee"}},
		{"go build in a clone with changes", source{}, debug.BuildInfo{Main: debug.Module{Version: "v0.1.0+dirty"}, Settings: changed},
			source{"v0.1.0+dirty", "c0ffee-dirty"}},
		{"go build without git", source{}, debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, source{version: "dev"}},
		{"nothing known", source{}, debug.BuildInfo{}, source{version: "dev"}},
	} {
		if got := test.stamped.completed(&test.info); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}
