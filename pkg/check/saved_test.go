package check

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// A snapshot that was written to a file and read back is judged as it was.
func TestSavedSnapshotsAreJudgedTheSame(t *testing.T) {
	t.Parallel()
	for _, s := range all() {
		judgedTheSame(t, s.name, s.broken(), s.judge)
	}
	for _, topology := range topologies() {
		judgedTheSame(t, topology.name, topology.mesh(), scenario{}.judge)
	}
}

func judgedTheSame(t *testing.T, name string, w *world, judge func(*world) []Result) {
	t.Helper()
	saved, err := json.Marshal(w.snapshot)
	if err != nil {
		t.Fatal(err)
	}
	var read snapshot.Snapshot
	if err := json.Unmarshal(saved, &read); err != nil {
		t.Fatal(err)
	}
	want := judge(w)
	w.snapshot = &read
	got := judge(w)
	if len(got) != len(want) {
		t.Errorf("%s: there are %d results, want %d", name, len(got), len(want))
		return
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("%s: it was\n%+v\nand is\n%+v", name, want[i], got[i])
		}
	}
}
