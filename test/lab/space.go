package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// space is a network and a mount namespace, as a machine of its own would have. A process that only waits holds it open:
// when the last process in it has ended, the kernel takes its links, routes and mounts away, without any doing of ours.
type space struct {
	group string   // the cgroup of all that runs in it
	dir   string   // the folder of all that it writes
	keep  []string // folders that stay visible
}

const holderName = "pause"

// hidden are the machine's folders that a space has its own empty ones of. Components would leave things there, under
// names that cannot be chosen, and two clusters would meet.
func hidden() []string { return []string{"/run", "/var/lib", "/var/log"} }

func (s space) holderGroup() string { return filepath.Join(s.group, "space") }

// holder returns the process that holds the space open, or 0 when there is none.
func (s space) holder(groups cgroups) (int, error) {
	pid, _, err := find(groups, s.holderGroup(), holderName)
	return pid, err
}

// create makes the space. Its names are resolved as the lines of resolver say.
func (s space) create(groups cgroups, waiter, resolver string) (holder int, err error) {
	if err := writeFile(s.resolver(), []byte(resolver), 0o644); err != nil {
		return 0, err
	}
	started, err := start(groups, program{
		name:  "space",
		argv:  []string{waiter},
		group: s.holderGroup(),
		log:   filepath.Join(s.dir, "logs", "space.log"),
	}, s.unshare)
	if err != nil {
		return 0, err
	}
	return started.pid, nil
}

// end ends all that runs in the space, and with it the space. Its network goes last, so that those who talk to it are told
// that their connections have ended.
func (s space) end(ctx context.Context, groups cgroups) error {
	holder, err := s.holder(groups)
	if err != nil {
		return err
	}
	if err := groups.kill(ctx, s.group, holder); err != nil {
		return err
	}
	return groups.kill(ctx, s.group)
}

func (s space) resolver() string { return filepath.Join(s.dir, "etc", "resolv.conf") }

// unshare gives the calling thread namespaces of its own.
func (s space) unshare() error {
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS | unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("make namespaces: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := s.hide(); err != nil {
		return err
	}
	// As on a node of its own, so that volumes may ask for propagation.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("make mounts shared: %w", err)
	}
	return nil
}

// hide mounts the space's own folders over the machine's, and its own resolv.conf.
func (s space) hide() error {
	// It is often a link into /run, which is about to be hidden.
	resolver, err := filepath.EvalSymlinks("/etc/resolv.conf")
	if err != nil {
		return err
	}
	kept := map[string]*os.File{}
	defer func() {
		for _, folder := range kept {
			folder.Close()
		}
	}()
	for _, path := range s.keep {
		if kept[path], err = os.Open(path); err != nil {
			return err
		}
	}
	for _, path := range hidden() {
		replacement := filepath.Join(s.dir, "root", path)
		if err := os.MkdirAll(replacement, 0o750); err != nil {
			return err
		}
		if err := bind(replacement, path); err != nil {
			return err
		}
	}
	for path, folder := range kept {
		if !isHidden(path) {
			continue
		}
		if err := os.MkdirAll(path, 0o750); err != nil {
			return err
		}
		if err := bind(fmt.Sprintf("/proc/self/fd/%d", folder.Fd()), path); err != nil {
			return err
		}
	}
	if isHidden(resolver) {
		if err := writeFile(resolver, nil, 0o644); err != nil {
			return err
		}
	}
	return bind(s.resolver(), resolver)
}

func isHidden(path string) bool {
	for _, above := range hidden() {
		if strings.HasPrefix(path, above+"/") {
			return true
		}
	}
	return false
}

func bind(from, to string) error {
	if err := unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mount %s on %s: %w", from, to, err)
	}
	return nil
}

// enterSpace returns a function that takes the calling thread to the space of a process.
func enterSpace(pid int) func() error {
	return func() error {
		if pid == 0 {
			return errors.New("the namespaces that it runs in are gone; lab up makes them anew")
		}
		mounts, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", pid))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("the process %d, which holds the space open, has ended: %w", pid, err)
		} else if err != nil {
			return err
		}
		defer mounts.Close()
		if err := enterNetwork(pid)(); err != nil {
			return err
		}
		// Threads share their working folder until told otherwise, and a mount namespace is entered without sharing any.
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return fmt.Errorf("unshare the working folder: %w", err)
		}
		if err := unix.Setns(int(mounts.Fd()), unix.CLONE_NEWNS); err != nil {
			return fmt.Errorf("enter the mount namespace: %w", err)
		}
		return nil
	}
}

// enterNetwork returns a function that takes the calling thread to the network namespace of a process.
func enterNetwork(pid int) func() error {
	return func() error {
		network, err := netns.GetFromPid(pid)
		if err != nil {
			return fmt.Errorf("the network namespace of process %d: %w", pid, err)
		}
		defer network.Close()
		if err := netns.Set(network); err != nil {
			return fmt.Errorf("enter the network namespace: %w", err)
		}
		return nil
	}
}
