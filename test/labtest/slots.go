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

// slot is room for one lab on this machine. Tests of several packages, which are processes of their own, share the slots.
// A file stands for each: a test holds its lock while it uses the lab, and what is written in it says which lab is up.
type slot struct {
	number int
	file   *os.File
	// found is what was written in the file.
	found string
}

const (
	// labMemory is what a lab of two clusters with nodes and two without may take.
	labMemory = 5 << 30
	// lingering is how long a lab that is up is left to its own package, whose next test need not start another.
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

// slotFolder is where the slots' files are.
func slotFolder() string {
	return filepath.Join(cmp.Or(os.Getenv("KUBECTL_MESH_CACHE"), os.TempDir()), "slots")
}

// takeSlot waits for a slot and locks it. It prefers one whose file says what is wanted of a slot with this number.
func takeSlot(ctx context.Context, folder string, count int, wanted func(number int) string) (*slot, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, err
	}
	var taken *slot
	err := wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(context.Context) (done bool, err error) {
		for _, path := range inOrder(folder, count, wanted) {
			if taken, err = lockSlot(path); taken != nil || err != nil {
				return taken != nil, err
			}
		}
		return false, nil
	})
	if err != nil {
		return nil, fmt.Errorf("wait for a free slot in %s: %w", folder, err)
	}
	return taken, nil
}

// inOrder are the slots' files: first those whose lab is wanted, then those without a lab, then those of labs that nobody
// has used for a moment.
func inOrder(folder string, count int, wanted func(number int) string) []string {
	var fit, empty, foreign []string
	for number := 1; number <= count; number++ {
		path := filepath.Join(folder, strconv.Itoa(number))
		found, _ := os.ReadFile(path) // one that is not there yet is empty
		info, err := os.Stat(path)
		switch {
		case string(found) == wanted(number):
			fit = append(fit, path)
		case len(found) == 0:
			empty = append(empty, path)
		case err == nil && time.Since(info.ModTime()) > lingering:
			foreign = append(foreign, path)
		}
	}
	return slices.Concat(fit, empty, foreign)
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
	found, err := os.ReadFile(path)
	if err != nil {
		file.Close()
		return nil, err
	}
	return &slot{number: number, file: file, found: string(found)}, nil
}

// write says which lab is up in the slot.
func (s *slot) write(holds string) error {
	if err := s.file.Truncate(0); err != nil {
		return err
	}
	_, err := s.file.WriteAt([]byte(holds), 0)
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

// labOf is the name of the lab in what is written in a slot's file.
func labOf(written string) string {
	name, _, _ := strings.Cut(written, " ")
	return name
}
