package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/util/wait"
)

// cgroupRoot is the cgroup above those of all labs: kmlab/LAB/CLUSTER/COMPONENT, and kmlab/LAB/CLUSTER/kubepods for pods.
const cgroupRoot = "kmlab"

// cgroups is the machine's cgroup file systems: the one of version 2, or one for each controller.
type cgroups struct {
	unified bool
	// processes is the hierarchy whose membership says which processes are a lab's.
	processes string
	// cpu is the hierarchy that shares processors out; empty if there is none.
	cpu string
	// all are the hierarchies in which kubelet and runc make cgroups: beside those of version 1 there may be one of
	// version 2 that has no controllers.
	all []string
}

func findCgroups() (cgroups, error) {
	const unified = "/sys/fs/cgroup"
	if _, err := os.Stat(filepath.Join(unified, "cgroup.controllers")); err == nil {
		return cgroups{unified: true, processes: unified, cpu: unified, all: []string{unified}}, nil
	}
	raw, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return cgroups{}, err
	}
	var found cgroups
	for line := range strings.Lines(string(raw)) {
		fields := strings.Fields(line)
		if len(fields) < 4 || (fields[2] != "cgroup" && fields[2] != "cgroup2") {
			continue
		}
		found.all = append(found.all, fields[1])
		// Any hierarchy would do to tell whose a process is; this one has no settings that a process could feel.
		if slices.Contains(strings.Split(fields[3], ","), "pids") {
			found.processes = fields[1]
		}
		if slices.Contains(strings.Split(fields[3], ","), "cpu") {
			found.cpu = fields[1]
		}
	}
	if found.processes == "" {
		return cgroups{}, errors.New("no cgroup file system with the pids controller is mounted; the kubelet needs one")
	}
	return found, nil
}

// make creates a group in every hierarchy. In version 2 it also hands all controllers down to it.
func (c cgroups) make(group string) error {
	for _, root := range c.all {
		// A lab that ends as the last one takes the group above all labs away, maybe just now.
		err := fs.ErrNotExist
		for tries := 0; errors.Is(err, fs.ErrNotExist) && tries < 10; tries++ {
			err = os.MkdirAll(filepath.Join(root, group), 0o750)
		}
		if err != nil {
			return err
		}
	}
	if !c.unified {
		return nil
	}
	controllers, err := os.ReadFile(filepath.Join(c.processes, "cgroup.controllers"))
	if err != nil {
		return err
	}
	above := c.processes
	for element := range strings.SplitSeq(group, "/") {
		for controller := range strings.FieldsSeq(string(controllers)) {
			// One that cannot be handed down is missed by whoever needs it, with a better message.
			_ = os.WriteFile(filepath.Join(above, "cgroup.subtree_control"), []byte("+"+controller), 0)
		}
		above = filepath.Join(above, element)
	}
	return nil
}

// join moves the calling thread into a group, and with it the processes that it starts. Version 2 does not know groups
// of single threads: there a process is started in its group.
func (c cgroups) join(group string) error {
	if c.unified {
		return nil
	}
	tasks := filepath.Join(c.processes, group, "tasks")
	if err := os.WriteFile(tasks, []byte(strconv.Itoa(unix.Gettid())), 0); err != nil {
		return fmt.Errorf("join the cgroup %s: %w", group, err)
	}
	return nil
}

// members returns the processes in a group and in those below it.
func (c cgroups) members(group string) ([]int, error) {
	var found []int
	err := filepath.WalkDir(filepath.Join(c.processes, group), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // It went while we were looking.
		}
		if err != nil || !entry.IsDir() {
			return err
		}
		file, err := os.Open(filepath.Join(path, "cgroup.procs"))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan(); {
			pid, err := strconv.Atoi(lines.Text())
			if err != nil {
				return fmt.Errorf("%s: %w", file.Name(), err)
			}
			found = append(found, pid)
		}
		return nil
	})
	return found, err
}

// kill ends every process in a group and below it, but those that are spared.
func (c cgroups) kill(ctx context.Context, group string, spared ...int) error {
	var left []int
	none := func(context.Context) (bool, error) {
		all, err := c.members(group)
		if err != nil {
			return false, err
		}
		left = slices.DeleteFunc(all, func(pid int) bool { return slices.Contains(spared, pid) })
		if len(left) == 0 {
			return true, nil
		}
		for _, pid := range left {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
				return false, fmt.Errorf("kill process %d: %w", pid, err)
			}
		}
		return false, nil
	}
	err := wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, 20*time.Second, true, none)
	if wait.Interrupted(err) {
		return fmt.Errorf("these processes of %s do not end: %v: %w", group, left, err)
	}
	return err
}

// remove removes a group and those below it, from every hierarchy.
func (c cgroups) remove(ctx context.Context, group string) error {
	for _, root := range c.all {
		top := filepath.Join(root, group)
		var last error
		gone := func(context.Context) (bool, error) {
			if last = removeTree(top); last == nil {
				return true, nil
			}
			return false, nil
		}
		// The kernel takes a moment to see that a group's last process has ended.
		if err := wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, 10*time.Second, true, gone); err != nil {
			return fmt.Errorf("remove the cgroup %s: %w", top, errors.Join(last, err))
		}
	}
	return nil
}

// removeTree removes a cgroup with those below it: they are removed as folders, whatever files they show.
func removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := removeTree(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("%s: %w", dir, err)
	}
	return nil
}
