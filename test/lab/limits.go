package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// limit is a setting of the whole machine that is too low for many clusters. It is raised while there is a lab.
type limit struct {
	setting string // the kernel's file
	former  string // the file that keeps what it was
	need    int
}

// watchers is how many inotify instances all of root's processes may have. A cluster has some twenty, and the kernel's
// own limit of 128 would make the eighth one fail.
func watchers() limit {
	return limit{
		setting: "/proc/sys/fs/inotify/max_user_instances",
		former:  filepath.Join(home, ".inotify-instances"),
		need:    8192,
	}
}

// raise raises the limit, unless it is high enough. The lab for which it is done has its folder already.
func (l limit) raise(ctx context.Context) error {
	unlock, err := lock(ctx, filepath.Dir(l.former), nil)
	if err != nil {
		return err
	}
	defer unlock()
	present, err := l.read(l.setting)
	if err != nil || present >= l.need {
		return err
	}
	if err := writeFile(l.former, []byte(strconv.Itoa(present)), 0o600); err != nil {
		return err
	}
	return l.set(l.need)
}

// restore takes the limit back to what it was, if no lab is left, and removes the folder of all labs.
func (l limit) restore(ctx context.Context) error {
	home := filepath.Dir(l.former)
	unlock, err := lock(ctx, home, nil)
	if err != nil {
		return err
	}
	defer unlock()
	entries, err := os.ReadDir(home)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			return nil // There is another lab.
		}
	}
	former, err := l.read(l.former)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		// Whoever has changed it since has had a reason.
		if present, err := l.read(l.setting); err != nil || present == l.need {
			if err := errors.Join(err, l.set(former)); err != nil {
				return err
			}
		}
		if err := os.Remove(l.former); err != nil {
			return err
		}
	}
	if err := unix.Rmdir(home); err != nil && !errors.Is(err, unix.ENOTEMPTY) {
		return fmt.Errorf("remove %s: %w", home, err)
	}
	return nil
}

func (limit) read(file string) (int, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(raw)))
}

func (l limit) set(to int) error {
	return os.WriteFile(l.setting, []byte(strconv.Itoa(to)), 0o600)
}
