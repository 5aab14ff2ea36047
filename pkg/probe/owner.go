package probe

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// ownerAnnotation says on a probe's namespace which process has made it and will remove it.
const ownerAnnotation = "kubectl-mesh.github.io/owner"

// owner is a process, as its machine knows it. The boot's id tells machines apart; the time at which the process started, in
// the kernel's ticks, tells it from a later one with the same number.
type owner struct {
	Boot         string `json:"boot"`
	PIDNamespace string `json:"pidNamespace"`
	PID          int    `json:"pid"`
	Started      string `json:"started"`
}

// thisProcess is an error where the system does not tell: only Linux does.
func thisProcess() (owner, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return owner{}, err
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return owner{}, err
	}
	o := owner{Boot: strings.TrimSpace(string(boot)), PIDNamespace: namespace, PID: os.Getpid()}
	o.Started, err = startOf(o.PID)
	return o, err
}

// startOf is when a process started. It is os.ErrProcessDone where there is no such process, and another error where it can't be
// told.
func startOf(pid int) (string, error) {
	// A process of another user may not be shown in /proc, but is known to the kernel.
	process, err := os.FindProcess(pid)
	if err != nil {
		return "", err
	}
	if err := process.Signal(syscall.Signal(0)); errors.Is(err, os.ErrProcessDone) {
		return "", err
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	// PID (NAME) STATE …; a name may have anything in it (proc_pid_stat(5): starttime is the 22nd).
	const starttime = 22 - 3
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	switch {
	case len(fields) <= starttime:
		return "", fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	case fields[0] == "Z": // it has ended, and its parent has not asked how
		return "", os.ErrProcessDone
	}
	return fields[starttime], nil
}

// ended is true for an owner, as its annotation has it, that is known to run no more: it was of this boot of this machine, where
// its number is free, or another process's by now.
func (here owner) ended(annotation string, startOf func(pid int) (string, error)) bool {
	var o owner
	if json.Unmarshal([]byte(annotation), &o) != nil || o.Boot != here.Boot || o.PIDNamespace != here.PIDNamespace || o.PID <= 0 {
		return false
	}
	started, err := startOf(o.PID)
	if err != nil {
		return errors.Is(err, os.ErrProcessDone)
	}
	return started != o.Started
}

// annotation is what is written on what the process has made.
func (here owner) annotation() string {
	text, _ := json.Marshal(here)
	return string(text)
}
