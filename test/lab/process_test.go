package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if got := tail(path, 2); got != "(no log)" {
		t.Errorf("of no log it is %q", got)
	}
	if err := os.WriteFile(path, []byte("one\ntwo\n"+strings.Repeat("é", longestLine)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := tail(path, 2), "two\n"+strings.Repeat("é", longestLine/2)+" ..."; got != want {
		t.Errorf("it is %q; want %q", got, want)
	}
	if got := tail(path, 9); !strings.HasPrefix(got, "one\n") {
		t.Errorf("of a short log it is %q; want all of it", got)
	}
}

func TestStopEndsAPausedProcess(t *testing.T) {
	command := exec.Command("sleep", "600")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	pid := command.Process.Pid
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := stop(t.Context(), pid); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "terminated") {
		t.Errorf("it ended with %v; want it to end politely", err)
	}
	if err := stop(t.Context(), pid); err != nil {
		t.Errorf("that it has ended already is an error: %v", err)
	}
}

func TestStateOf(t *testing.T) {
	if got := stateOf(os.Getpid()); !slices.Contains([]string{"R", "S", "D"}, got) {
		t.Errorf("this process is in the state %q", got)
	}
	if got := stateOf(-1); got != "" {
		t.Errorf("a process that is not there is in the state %q", got)
	}
}
