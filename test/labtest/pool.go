package labtest

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// pool is the labs that the tests of all packages take turns with. Packages are processes of their own, which may run side
// by side.
type pool struct {
	// name begins the names of its labs, NAME--tests--NUMBER. `lab down` of NAME, or of NAME--tests, ends them.
	name string
	// folder has a file for each slot.
	folder string
	// count is how many labs there may be at once.
	count int
}

func thePool() pool {
	return pool{
		name:   cmp.Or(os.Getenv("LAB"), "lab") + "--tests",
		folder: filepath.Join(cmp.Or(os.Getenv("KUBECTL_MESH_CACHE"), os.TempDir()), "slots"),
		count:  slotCount(),
	}
}

func (p pool) lab(number int) string { return fmt.Sprintf("%s--%d", p.name, number) }

// Main runs a package's tests, as many side by side as there may be labs. The last package takes the labs down. Its result
// is the exit code.
func Main(m *testing.M) int {
	if err := flag.Set("test.parallel", fmt.Sprint(slotCount())); err != nil { // go test -parallel overrides it
		panic(err)
	}
	flag.Parse() // which testing.Short wants
	if testing.Short() || os.Getenv("LAB_BIN") == "" {
		return m.Run()
	}
	pool := thePool()
	member, err := pool.join()
	if err != nil {
		fmt.Fprintln(os.Stderr, "the pool of labs:", err) //nolint:forbidigo // there is no test yet to say it
		return 1
	}
	defer member.Close()
	code := m.Run()
	if os.Getenv("LAB_KEEP") != "" || !lock(member) { // another package still runs
		return code
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute) //nolint:forbidigo // there is no caller's
	defer cancel()
	if err := pool.down(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "the labs could not be taken down:", err) //nolint:forbidigo // no test is left to say it
		return max(code, 1)
	}
	return code
}

// join says that this process uses the pool, for as long as the file is open.
func (p pool) join() (*os.File, error) {
	if err := os.MkdirAll(p.folder, 0o750); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(p.folder, p.name+".users"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := share(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	return file, nil
}

// down ends the pool's labs.
func (p pool) down(ctx context.Context) error {
	lab := Lab{program: os.Getenv("LAB_BIN"), name: p.name}
	if _, err := lab.command(ctx, "down"); err != nil {
		return err
	}
	for number := 1; number <= p.count; number++ {
		path := filepath.Join(p.folder, strconv.Itoa(number))
		if found, _ := os.ReadFile(path); strings.HasPrefix(string(found), p.lab(number)+" ") {
			if err := os.Truncate(path, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// Down ends all labs of tests, for a test that must not share the machine with clusters that others have used.
func Down(tb testing.TB) {
	tb.Helper()
	if os.Getenv("LAB_BIN") == "" {
		return
	}
	if err := thePool().down(context.WithoutCancel(tb.Context())); err != nil {
		tb.Fatal(err)
	}
}

// reserve waits for a slot, and returns its lab and the names of the clusters that are up in it since an earlier test. A lab
// that does not fit is taken down.
func reserve(tb testing.TB, wanted shape) (lab *Lab, used []string) {
	tb.Helper()
	pool, begun := thePool(), time.Now()
	place, err := pool.take(tb.Context(), wanted)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := place.release(); err != nil {
			tb.Error(err)
		}
	})
	lab = &Lab{program: os.Getenv("LAB_BIN"), name: pool.lab(place.number)}
	holds := place.found
	switch {
	case holds.lab == "":
	case holds.lab == lab.name && holds.shape.fits(wanted):
		used = names(len(holds.shape))
	default:
		other := Lab{program: lab.program, name: holds.lab}
		other.Lab(tb, "down")
		holds.shape = nil
	}
	tb.Logf("the lab is %s, after a wait of %.0f s", lab.name, time.Since(begun).Seconds())
	if len(holds.shape) < len(wanted) {
		holds.shape = wanted
	}
	if err := place.write(held{lab.name, holds.shape}); err != nil {
		tb.Fatal(err)
	}
	return lab, used
}
