package snapshot_test

import (
	"encoding/json"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Whatever another snapshot is made of one, it stays as it was.
func TestSnapshotStaysAsItIs(t *testing.T) {
	t.Parallel()
	// Lists with room for more: appending to a copy would write into it.
	secrets := append(make([]snapshot.RemoteSecret, 0, 9), snapshot.RemoteSecret{Cluster: "west"})
	unreadable := append(make([]snapshot.Unreadable, 0, 9), snapshot.Unreadable{What: snapshot.Nodes})
	s := &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{
		"east": {Name: "east", RemoteSecrets: secrets, Unreadable: unreadable},
		"west": {Name: "west"},
	}}
	before := text(t, s)
	for name, other := range map[string]*snapshot.Snapshot{
		"With":          s.With("north", &snapshot.Cluster{Name: "north"}),
		"Without":       s.Without("west"),
		"Renamed":       s.Renamed(map[string]string{"west": "east", "east": "west"}),
		"WithPrimaries": s.WithPrimaries(map[string]string{"east": "east"}),
		"WithTraffic":   s.WithTraffic(&snapshot.Traffic{}),
	} {
		if text(t, other) == before {
			t.Errorf("%s changes nothing in the other snapshot", name)
		}
		if after := text(t, s); after != before {
			t.Errorf("%s changes the snapshot from\n%s\nto\n%s", name, before, after)
		}
	}
	clone := s.Clusters["east"].Clone()
	clone.Name = "other"
	clone.RemoteSecrets[0].Use = &snapshot.CredentialUse{}
	clone.Unreadable = append(clone.Unreadable, snapshot.Unreadable{What: snapshot.Identity})
	if after := text(t, s); after != before || unreadable[:2][1].What != "" {
		t.Errorf("a change to a clone changes the snapshot from\n%s\nto\n%s", before, after)
	}
}

func text(t *testing.T, s *snapshot.Snapshot) string {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
