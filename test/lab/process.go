package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/util/wait"
)

// program is what to run as one component, and where.
type program struct {
	// name is the component's; its cgroup and its log are named after it.
	name string
	// argv is the program's path and its arguments. The path's last element is what a running process is known by.
	argv []string
	// group is the program's cgroup.
	group string
	// log is the file to which it writes.
	log string
}

// process is a running program that this process has started.
type process struct {
	pid   int
	ended chan struct{}
	err   error // how it ended
}

// start runs a program, detached from this process: it outlives it, and holds none of its streams. The thread that starts
// it is prepared by enter, which takes it to the namespaces that the program is to run in.
func start(groups cgroups, p program, enter func() error) (*process, error) {
	if err := groups.make(p.group); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(p.log), 0o750); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	command := exec.Cmd{
		Path:   p.argv[0],
		Args:   p.argv,
		Dir:    "/",
		Env:    environment(),
		Stdout: log,
		Stderr: log,
		SysProcAttr: &syscall.SysProcAttr{
			Setsid: true, // It does not die with the terminal.
		},
	}
	if groups.unified {
		group, err := os.Open(filepath.Join(groups.processes, p.group))
		if err != nil {
			return nil, err
		}
		defer group.Close()
		command.SysProcAttr.UseCgroupFD, command.SysProcAttr.CgroupFD = true, int(group.Fd())
	}
	err = inThread(func() error {
		if err := groups.join(p.group); err != nil {
			return err
		}
		if err := enter(); err != nil {
			return err
		}
		return command.Start()
	})
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	started := &process{pid: command.Process.Pid, ended: make(chan struct{})}
	go func() {
		defer close(started.ended)
		if started.err = command.Wait(); started.err == nil {
			started.err = errors.New("exit status 0")
		}
	}()
	return started, nil
}

// environment is all that a component gets to know of the person's: a proxy, say, would lead an API server astray.
func environment() []string {
	return []string{
		"PATH=" + searchPath(), "HOME=/root", "LC_ALL=C.UTF-8",
		// A third of what an API server does at the start is garbage collection, and several share few processors here.
		"GOGC=300",
	}
}

// searchPath is PATH with the places of system programs, which not everybody has in it.
func searchPath() string {
	return os.Getenv("PATH") + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
}

// inThread runs f on an operating system's thread of its own, which ends with it: what f does to its thread, such as
// taking it to another namespace, reaches the processes that it starts and nothing else.
func inThread(f func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the runtime ends the thread with its goroutine
		result <- f()
	}()
	return <-result
}

// find returns the process of a component, if it runs, and the letter of its state (T: stopped).
func find(groups cgroups, group, executable string) (pid int, state string, err error) {
	members, err := groups.members(group)
	if err != nil {
		return 0, "", err
	}
	for _, pid := range members {
		// Unlike the command line this is right as soon as the process has been started.
		path, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		if err != nil {
			continue // It has just ended.
		}
		if filepath.Base(strings.TrimSuffix(path, " (deleted)")) != executable {
			continue // A child, such as containerd's shim of a pod.
		}
		if state := stateOf(pid); state != "" && state != "Z" && state != "X" {
			return pid, state, nil
		}
	}
	return 0, "", nil
}

func stateOf(pid int) string {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The program's name, in parentheses, may hold anything.
	_, rest, _ := strings.Cut(string(raw[bytes.LastIndexByte(raw, ')')+1:]), " ")
	state, _, _ := strings.Cut(rest, " ")
	return state
}

// endTimeout is how long a process may take to end. API servers and etcd would wait for minutes until their clients leave.
const endTimeout = 2 * time.Second

// stop ends the process, politely at first.
func stop(ctx context.Context, pid int) error {
	gone := func(context.Context) (bool, error) {
		state := stateOf(pid)
		return state == "" || state == "Z", nil
	}
	signals := []unix.Signal{unix.SIGTERM, unix.SIGCONT, unix.SIGKILL}
	for _, signal := range signals {
		if err := unix.Kill(pid, signal); errors.Is(err, unix.ESRCH) {
			return nil
		} else if err != nil {
			return fmt.Errorf("send %v to process %d: %w", signal, pid, err)
		}
		if signal == unix.SIGTERM {
			continue // A stopped process sees it when it continues.
		}
		err := wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, endTimeout, true, gone)
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
	return fmt.Errorf("process %d does not end", pid)
}

const longestLine = 300

// tail returns the last lines of a log, and of each as much as a person reads.
func tail(path string, lines int) string {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "(no log)"
	} else if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(raw), "\n"), "\n")
	all = all[max(0, len(all)-lines):]
	for i, line := range all {
		if len(line) > longestLine {
			all[i] = strings.ToValidUTF8(line[:longestLine], "") + " ..."
		}
	}
	return strings.Join(all, "\n")
}
