package labtest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// write fills the files of slots, as after labs that were used a while ago.
func write(t *testing.T, p pool, slots map[string]string) {
	t.Helper()
	long := time.Now().Add(-time.Minute)
	for name, held := range slots {
		path := filepath.Join(p.folder, name)
		if err := os.WriteFile(path, []byte(held), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
}

// A test takes a lab that has what it wants and little besides before one that must grow, that before an empty slot, and
// that before a lab of another shape or another pool, unless it was used a moment ago.
func TestSlotsInOrder(t *testing.T) {
	t.Parallel()
	p := pool{name: "mine", folder: t.TempDir(), count: 7}
	write(t, p, map[string]string{
		"1": "other--1 node,nodeless", "2": "", "3": "mine--3 node", "4": "mine--4 node,node",
		"5": "mine--5 node,nodeless,nodeless,nodeless", "6": "mine--6 node,nodeless", "7": "mine--7 node,nodeless@network2",
	})
	wanted := shape{"node", "nodeless"}
	recent, soon := filepath.Join(p.folder, "4"), time.Now().Add(time.Hour)
	if err := os.Chtimes(recent, soon, soon); err != nil {
		t.Fatal(err)
	}
	if order := p.inOrder(wanted); len(order) != 6 || slices.Contains(order, recent) {
		t.Errorf("%v are offered, with one that is in use", order)
	}
	if err := os.Chtimes(recent, soon.Add(-2*time.Hour), soon.Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"6 mine--6 node,nodeless", "5 mine--5 node,nodeless,nodeless,nodeless", "3 mine--3 node", "2", "1 other--1 node,nodeless",
		"4 mine--4 node,node", "7 mine--7 node,nodeless@network2",
	} {
		taken, err := p.take(t.Context(), wanted)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(fmt.Sprintf("%d %s", taken.number, taken.found)); got != want {
			t.Errorf("the slot and its lab are %q, want %q", got, want)
		}
	}
}

// A slot that is taken is waited for, and keeps what was written in it.
func TestSlotsAreShared(t *testing.T) {
	t.Parallel()
	p, wanted := pool{name: "mine", folder: t.TempDir(), count: 1}, shape{"node"}
	first, err := p.take(t.Context(), wanted)
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan *slot)
	go func() {
		taken, err := p.take(t.Context(), wanted)
		if err != nil {
			t.Error(err)
		}
		second <- taken
	}()
	if free, err := lockSlot(filepath.Join(p.folder, "1")); free != nil || err != nil {
		t.Fatalf("a slot that is taken was given away (%v)", err)
	}
	if err := first.write(held{p.lab(1), wanted}); err != nil {
		t.Fatal(err)
	}
	if err := first.release(); err != nil {
		t.Fatal(err)
	}
	if taken := <-second; taken == nil || taken.found.String() != "mine--1 node" {
		t.Errorf("the second has %+v", taken)
	}
}

// What a test asks of the lab's program makes clusters of the shape by which their lab is found again.
func TestShapes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		options    Options
		args, want string
	}{
		{Options{Clusters: 1}, "--clusters 1 --nodeless-from 0", "node"},
		{
			Options{Clusters: 4, NodelessFrom: 3, Networks: map[string]string{"cluster4": "network2"}, AggregatorRouting: []string{"cluster2"}},
			"--clusters 4 --nodeless-from 3 --network cluster4=network2 --aggregator-routing cluster2 --shared-ca cluster3,cluster4",
			"node,node,nodeless,nodeless@network2",
		},
	} {
		if args := strings.Join(c.options.args(), " "); args != c.args {
			t.Errorf("the arguments are %s, want %s", args, c.args)
		}
		if got := strings.Join(c.options.shape(), ","); got != c.want {
			t.Errorf("the shape is %s, want %s", got, c.want)
		}
	}
}

// Only the last process that uses a pool takes its labs down.
func TestLastOne(t *testing.T) {
	t.Parallel()
	p := pool{name: "mine", folder: t.TempDir(), count: 1}
	first, err := p.join()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := p.join()
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if lock(first) {
		t.Error("the first is the last while there is a second")
	}
	if !lock(second) {
		t.Error("the second is not the last")
	}
}
