package labtest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func wantedBy(who string) func(int) string {
	return func(number int) string { return fmt.Sprintf("%s--%d --clusters 2", who, number) }
}

// A test takes the slot of a lab that fits before an empty one, and an empty one before another package's, unless that was
// used a moment ago.
func TestSlotsInOrder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	long := time.Now().Add(-time.Minute)
	for name, held := range map[string]string{"1": "other--1 --clusters 2", "2": "", "3": "mine--3 --clusters 2", "4": "mine--4 --clusters 4"} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(held), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	recent, soon := filepath.Join(folder, "4"), time.Now().Add(time.Hour)
	if err := os.Chtimes(recent, soon, soon); err != nil {
		t.Fatal(err)
	}
	if order := inOrder(folder, 4, wantedBy("mine")); len(order) != 3 || slices.Contains(order, recent) {
		t.Errorf("%v are offered, with one that is in use", order)
	}
	if err := os.Chtimes(recent, long, long); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"3 mine--3", "2 ", "1 other--1", "4 mine--4"} {
		taken, err := takeSlot(t.Context(), folder, 4, wantedBy("mine"))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%d %s", taken.number, labOf(taken.found)); got != want {
			t.Errorf("the slot and its lab are %q, want %q", got, want)
		}
	}
}

// A slot that is taken is waited for, and keeps what was written in it.
func TestSlotsAreShared(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	first, err := takeSlot(t.Context(), folder, 1, wantedBy("mine"))
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan *slot)
	go func() {
		taken, err := takeSlot(t.Context(), folder, 1, wantedBy("mine"))
		if err != nil {
			t.Error(err)
		}
		second <- taken
	}()
	if free, err := lockSlot(filepath.Join(folder, "1")); free != nil || err != nil {
		t.Fatalf("a slot that is taken was given away (%v)", err)
	}
	if err := first.write(wantedBy("mine")(1)); err != nil {
		t.Fatal(err)
	}
	if err := first.release(); err != nil {
		t.Fatal(err)
	}
	if taken := <-second; taken == nil || labOf(taken.found) != "mine--1" {
		t.Errorf("the second has %+v", taken)
	}
}
