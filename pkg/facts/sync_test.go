package facts

import (
	"slices"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// replica is one that says of west what status is, and nothing where that is empty.
func replica(status string) snapshot.Replica {
	if status == "" {
		return snapshot.Replica{Clusters: []snapshot.SyncedRemote{{ID: "east", Status: snapshot.Synced}}}
	}
	return snapshot.Replica{Clusters: []snapshot.SyncedRemote{{ID: "east", Status: snapshot.Synced}, {ID: "west", Status: status}}}
}

func TestSync(t *testing.T) {
	t.Parallel()
	silent := snapshot.Replica{Pod: "istiod-a", Error: "refused"}
	for _, test := range []struct {
		name     string
		replicas []snapshot.Replica
		// first is how far the first replica is.
		first        Sync
		onAll, onAny bool
		asked        bool
	}{
		{"synced", []snapshot.Replica{replica("synced")}, Synced, true, true, true},
		{"two synced", []snapshot.Replica{replica("synced"), replica("synced")}, Synced, true, true, true},
		{"one of two", []snapshot.Replica{replica("syncing"), replica("synced")}, Syncing, false, true, true},
		{"one can't be asked", []snapshot.Replica{silent, replica("synced")}, NotAsked, false, true, true},
		{"none can be asked", []snapshot.Replica{silent}, NotAsked, false, false, false},
		{"timed out", []snapshot.Replica{replica("timeout")}, TimedOut, false, false, true},
		{"closed", []snapshot.Replica{replica("closed")}, GivenUp, false, false, true},
		{"not listed", []snapshot.Replica{replica("")}, NotListed, false, false, true},
		{"a word of a later release", []snapshot.Replica{replica("initialising")}, Syncing, false, false, true},
	} {
		plane := snapshot.ControlPlane{Replicas: test.replicas}
		if got := SyncOf(test.replicas[0], "west"); got != test.first {
			t.Errorf("%s: the first replica is %s, want %s", test.name, got, test.first)
		}
		if SyncedOnAll(plane, "west") != test.onAll || SyncedOnAny(plane, "west") != test.onAny || AnyAsked(plane) != test.asked {
			t.Errorf("%s: synced on all is %v, on any %v, any asked %v", test.name, SyncedOnAll(plane, "west"), SyncedOnAny(plane, "west"), AnyAsked(plane))
		}
	}
	if SyncedOnAll(snapshot.ControlPlane{}, "west") {
		t.Error("west is synced by a control plane that does not run")
	}
}

func TestGivenUpBy(t *testing.T) {
	t.Parallel()
	plane := snapshot.ControlPlane{Replicas: []snapshot.Replica{
		replica("closed"),
		{Error: "refused"},
		{Clusters: []snapshot.SyncedRemote{{ID: "west", Status: "closed"}, {ID: "south", Status: "closed"}, {ID: "north", Status: "timeout"}}},
	}}
	if got := GivenUpBy(plane); !slices.Equal(got, []string{"south", "west"}) {
		t.Errorf("given up are %q", got)
	}
	if got := GivenUpBy(snapshot.ControlPlane{}); len(got) > 0 {
		t.Errorf("given up are %q", got)
	}
}
