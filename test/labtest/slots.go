package labtest

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// slot is room for one lab on this machine. A file stands for it: a test holds its lock while it uses the lab, and what is
// written in it says which lab is up.
type slot struct {
	number int
	file   *os.File
	// found is what was written in the file.
	found held
}

// held is a lab that is up in a slot; without a name there is none.
type held struct {
	lab   string
	shape shape
}

// String is how a slot's file has it: the lab's name and what its clusters are.
func (h held) String() string { return h.lab + " " + strings.Join(h.shape, ",") }

func readHeld(path string) (held, error) {
	written, err := os.ReadFile(path)
	lab, kinds, _ := strings.Cut(string(written), " ")
	if err != nil || lab == "" {
		return held{}, err
	}
	return held{lab: lab, shape: strings.Split(kinds, ",")}, nil
}

const (
	// labMemory is what a lab of two clusters with nodes and two without may take.
	labMemory = 5 << 30
	// lingering is how long a lab that is up is left to tests that it fits, so that they need not start another.
	lingering = time.Second
)

// slotCount is how many labs tests use at once on this machine: LAB_PARALLEL, or as many as its processors and memory
// are good for.
func slotCount() int {
	if count, err := strconv.Atoi(os.Getenv("LAB_PARALLEL")); err == nil && count > 0 {
		return count
	}
	return max(1, min(2*runtime.NumCPU(), memory()/labMemory))
}

// memory is the machine's, in bytes.
func memory() int {
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var kilobytes int
		if _, err := fmt.Sscanf(lines.Text(), "MemTotal: %d kB", &kilobytes); err == nil {
			return kilobytes << 10
		}
	}
	return 0
}

// take waits for a slot and locks it. It prefers one whose lab fits.
func (p pool) take(ctx context.Context, wanted shape) (*slot, error) {
	if err := os.MkdirAll(p.folder, 0o750); err != nil {
		return nil, err
	}
	var taken *slot
	err := wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(context.Context) (done bool, err error) {
		for _, path := range p.inOrder(wanted) {
			if taken, err = lockSlot(path); taken != nil || err != nil {
				return taken != nil, err
			}
		}
		return false, nil
	})
	if err != nil {
		return nil, fmt.Errorf("wait for a free slot in %s: %w", p.folder, err)
	}
	return taken, nil
}

// inOrder are the slots' files: first those with a lab that has all that is wanted and the least besides, then those with
// one that lacks some clusters, then those without a lab, then those with one that does not fit and that nobody has used for
// a moment.
func (p pool) inOrder(wanted shape) []string {
	type choice struct {
		path string
		cost int
	}
	const grow, start, replace = 100, 200, 300
	var choices []choice
	for number := 1; number <= p.count; number++ {
		path := filepath.Join(p.folder, strconv.Itoa(number))
		found, _ := readHeld(path) // one that is not there yet is empty
		info, err := os.Stat(path)
		more := len(found.shape) - len(wanted)
		switch {
		case found.lab == "":
			choices = append(choices, choice{path, start})
		case found.lab == p.lab(number) && found.shape.fits(wanted) && more >= 0:
			choices = append(choices, choice{path, more})
		case found.lab == p.lab(number) && found.shape.fits(wanted):
			choices = append(choices, choice{path, grow - more})
		case err == nil && time.Since(info.ModTime()) > lingering:
			choices = append(choices, choice{path, replace})
		}
	}
	slices.SortStableFunc(choices, func(a, b choice) int { return cmp.Compare(a.cost, b.cost) })
	paths := make([]string, 0, len(choices))
	for _, each := range choices {
		paths = append(paths, each.path)
	}
	return paths
}

// lockSlot returns nothing where another test holds the slot.
func lockSlot(path string) (*slot, error) {
	number, err := strconv.Atoi(filepath.Base(path))
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if !lock(file) {
		file.Close()
		return nil, nil //nolint:nilnil // another one may be free
	}
	found, err := readHeld(path)
	if err != nil {
		file.Close()
		return nil, err
	}
	return &slot{number: number, file: file, found: found}, nil
}

// write says which lab is up in the slot.
func (s *slot) write(holds held) error {
	if err := s.file.Truncate(0); err != nil {
		return err
	}
	_, err := s.file.WriteAt([]byte(holds.String()), 0)
	return err
}

// release gives the slot to the next test, with its lab.
func (s *slot) release() error {
	now := time.Now()
	if err := os.Chtimes(s.file.Name(), now, now); err != nil {
		s.file.Close()
		return err
	}
	return s.file.Close()
}
