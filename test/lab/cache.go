package lab

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// store keeps what takes long to make, in a folder for each thing and each key. The key is made of all that the thing
// depends on, so a folder that is there is right, and two processes may use and fill the cache at once.
type store struct {
	dir string
	say func(format string, args ...any)
}

// keptEntries is how many of a thing's folders are kept: those of some branches, not of all times.
const keptEntries = 3

// cacheDir returns the folder in which the project keeps what it made or fetched.
func cacheDir() (string, error) {
	if dir := os.Getenv("KUBECTL_MESH_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place for a cache: %w; set KUBECTL_MESH_CACHE", err)
	}
	return filepath.Join(dir, "kubectl-mesh"), nil
}

// keyOf returns a short name for a list of things.
func keyOf(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(sum, "%d:%s", len(part), part)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))[:16]
}

// get returns the folder of a thing, which it has made if need be.
func (s store) get(ctx context.Context, thing, key string, produce func(ctx context.Context, dir string) error) (string, error) {
	dir := filepath.Join(s.dir, thing+"-"+key)
	if touch(dir) == nil {
		return dir, nil
	}
	unlock, err := lock(ctx, filepath.Join(s.dir, ".lock-"+thing), func() {
		s.say("%s: waiting for another process that makes it", thing)
	})
	if err != nil {
		return "", err
	}
	defer unlock()
	if touch(dir) == nil {
		return dir, nil
	}
	// Nobody else makes this thing now, so what lies half made is from a process that was killed.
	if err := s.removeAll("." + thing + "-*"); err != nil {
		return "", err
	}
	temporary, err := os.MkdirTemp(s.dir, "."+thing+"-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temporary)
	started := time.Now()
	if err := produce(ctx, temporary); err != nil {
		return "", fmt.Errorf("make %s: %w", thing, err)
	}
	if err := os.Rename(temporary, dir); err != nil {
		return "", err
	}
	s.say("%-10s made in %.1f s", thing, time.Since(started).Seconds())
	return dir, s.prune(thing)
}

// prune removes the folders of a thing that have not been used for longest.
func (s store) prune(thing string) error {
	paths, err := filepath.Glob(filepath.Join(s.dir, thing+"-*"))
	if err != nil {
		return err
	}
	used := func(path string) time.Time {
		info, err := os.Stat(path)
		if err != nil {
			return time.Time{}
		}
		return info.ModTime()
	}
	slices.SortFunc(paths, func(a, b string) int { return used(b).Compare(used(a)) })
	for _, path := range paths[min(keptEntries, len(paths)):] {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

func (s store) removeAll(pattern string) error {
	paths, err := filepath.Glob(filepath.Join(s.dir, pattern))
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// touch marks a folder as used, if it is there.
func touch(dir string) error {
	now := time.Now()
	return os.Chtimes(dir, now, now)
}

// linkTree makes to a copy of from, by links where the file system allows it: a lab that runs does not miss what the
// cache drops. Files of to that from has not are left.
func linkTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if entry.IsDir() {
			return os.MkdirAll(target, 0o750)
		}
		return linkFile(path, target)
	})
}

// linkFile makes to the same file as from, or a copy of it on another file system. A program that runs from an older
// file keeps it.
func linkFile(from, to string) error {
	source, err := os.Stat(from)
	if err != nil {
		return err
	}
	if present, err := os.Stat(to); err == nil && os.SameFile(source, present) {
		return nil
	}
	temporary := to + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Link(from, temporary); err != nil {
		if err := copyFile(from, temporary, source.Mode()); err != nil {
			return err
		}
	}
	return os.Rename(temporary, to)
}

func copyFile(from, to string, mode fs.FileMode) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return cmp.Or(err, target.Close())
}
