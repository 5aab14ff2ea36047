package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/util/wait"
)

// DownAll ends the lab, and the labs NAME--tests--NUMBER that tests have under its name.
func (l *Lab) DownAll(ctx context.Context) error {
	folders, err := filepath.Glob(filepath.Join(home, l.name+"--*"))
	if err != nil {
		return err
	}
	failed := []error{l.Down(ctx)}
	for _, folder := range folders {
		one := *l
		one.name = filepath.Base(folder)
		failed = append(failed, one.Down(ctx))
	}
	return errors.Join(failed...)
}

// Down ends the lab and removes all that it has left, whatever state it was in.
func (l *Lab) Down(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errNeedsRoot
	}
	groups, err := findCgroups()
	if err != nil {
		return err
	}
	unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := l.endEverything(ctx, groups); err != nil {
		return err
	}
	// Whoever waits for the lock sees that the folder has gone, and makes another.
	if err := os.RemoveAll(l.dir()); err != nil {
		return fmt.Errorf("remove the lab's folder: %w", err)
	}
	if err := watchers().restore(ctx); err != nil {
		return err
	}
	l.say("lab %s is down", l.name)
	return nil
}

// endEverything ends the lab's processes, and with them its spaces, and removes what the kernel keeps of them.
func (l *Lab) endEverything(ctx context.Context, groups cgroups) error {
	if err := groups.kill(ctx, l.group()); err != nil {
		return err
	}
	if err := disconnect(l.name); err != nil {
		return err
	}
	if err := groups.remove(ctx, l.group()); err != nil {
		return err
	}
	// The last lab takes the cgroup above the labs away, too.
	for _, root := range groups.all {
		_ = unix.Rmdir(filepath.Join(root, cgroupRoot))
	}
	return l.awaitLinkGone(ctx)
}

func (l *Lab) awaitLinkGone(ctx context.Context) error {
	gone := func(context.Context) (bool, error) { return !linked(l.name), nil }
	if err := wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, 10*time.Second, true, gone); err != nil {
		return fmt.Errorf("the link %s stays: %w", linkName(l.name), err)
	}
	return nil
}

// removeFolders removes what an earlier lab of this name has left, but not what was pushed or installed for this one.
func (l *Lab) removeFolders() error {
	entries, err := os.ReadDir(l.dir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	stays := map[string]bool{}
	for _, path := range []string{l.programs(), l.tools(), l.images(), l.overlay()} {
		stays[filepath.Base(path)] = true
	}
	for _, entry := range entries {
		if stays[entry.Name()] {
			continue
		}
		if err := os.RemoveAll(filepath.Join(l.dir(), entry.Name())); err != nil {
			return err
		}
	}
	return nil
}
