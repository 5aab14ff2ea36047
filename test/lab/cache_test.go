package lab

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func quietStore(t *testing.T) store {
	t.Helper()
	return store{dir: t.TempDir(), say: func(string, ...any) {}}
}

func writeThing(_ context.Context, dir string) error {
	return os.WriteFile(filepath.Join(dir, "thing"), []byte("made"), 0o644)
}

func TestKeysDependOnEveryPart(t *testing.T) {
	seen := map[string][]string{}
	for _, parts := range [][]string{{}, {""}, {"ab", "c"}, {"a", "bc"}, {"abc"}, {"abc", ""}, {"c", "ab"}} {
		key := keyOf(parts...)
		if other, taken := seen[key]; taken {
			t.Errorf("%q and %q have the same key", parts, other)
		}
		seen[key] = parts
	}
}

func TestBuildKeysDependOnWhatIsBuilt(t *testing.T) {
	seen := map[string]string{}
	for _, version := range []string{"go1.26.0", "go1.26.1"} {
		for _, each := range goBuilds() {
			key, err := each.key(version)
			if err != nil {
				t.Fatal(err)
			}
			name := each.thing + " with " + version
			if other, taken := seen[key]; taken {
				t.Errorf("%s and %s have the same key", name, other)
			}
			seen[key] = name
		}
	}
}

func TestStoreMakesAThingOnce(t *testing.T) {
	s := quietStore(t)
	var made atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			dir, err := s.get(t.Context(), "thing", "key", func(ctx context.Context, dir string) error {
				made.Add(1)
				return writeThing(ctx, dir)
			})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := os.Stat(filepath.Join(dir, "thing")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 {
		t.Errorf("it was made %d times", made.Load())
	}
}

func TestStoreKeepsNothingThatFailed(t *testing.T) {
	s := quietStore(t)
	broken := errors.New("broken")
	_, err := s.get(t.Context(), "thing", "key", func(ctx context.Context, dir string) error {
		return errors.Join(writeThing(ctx, dir), broken)
	})
	if !errors.Is(err, broken) {
		t.Fatalf("get() = %v; want %v", err, broken)
	}
	// As if the process that makes it had been killed.
	if err := os.Mkdir(filepath.Join(s.dir, ".thing-1234"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := s.get(t.Context(), "thing", "key", writeThing); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(s.dir, ".thing-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("these are left: %v (%v)", left, err)
	}
}

func TestStoreKeepsWhatWasUsedLast(t *testing.T) {
	s := quietStore(t)
	day := time.Now().Add(-24 * time.Hour)
	for i, key := range []string{"oldest", "older", "used", "newest"} {
		dir, err := s.get(t.Context(), "thing", key, writeThing)
		if err != nil {
			t.Fatal(err)
		}
		if key == "newest" {
			break
		}
		if key == "used" {
			day = day.Add(-24 * time.Hour) // Made long ago.
		}
		if err := os.Chtimes(dir, day, day.Add(time.Duration(i)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	// The fourth has pushed out the one that was used longest ago; using one keeps it.
	if _, err := s.get(t.Context(), "thing", "older", failIfMade); err != nil {
		t.Fatal(err)
	}
	if _, err := s.get(t.Context(), "thing", "another", writeThing); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{"oldest": false, "used": false, "older": true, "newest": true, "another": true} {
		_, err := os.Stat(filepath.Join(s.dir, "thing-"+key))
		if there := err == nil; there != want {
			t.Errorf("%s is there: %v; want %v", key, there, want)
		}
	}
}

func failIfMade(context.Context, string) error { return errors.New("it is made again") }

func TestLinkFileReplaces(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	for _, content := range []string{"first", "second"} {
		if err := writeFile(from, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := linkFile(from, to); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(to); err != nil || string(got) != content {
			t.Errorf("it reads %q (%v); want %q", got, err, content)
		}
		if !same(from, to) {
			t.Error("it is a copy, though on the same file system")
		}
	}
}
