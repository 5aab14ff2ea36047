package probe

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

func TestOwnerEnded(t *testing.T) {
	t.Parallel()
	here := owner{Boot: "b", PIDNamespace: "pid:[1]", PID: 7, Started: "100"}
	// What the machine says of its processes.
	startOf := func(pid int) (string, error) {
		switch pid {
		case 7:
			return "100", nil
		case 8:
			return "200", nil
		case 9:
			return "", os.ErrPermission
		}
		return "", os.ErrProcessDone
	}
	for _, test := range []struct {
		name, annotation string
		ended            bool
	}{
		{"it runs", here.annotation(), false},
		{"another one runs", owner{"b", "pid:[1]", 8, "200"}.annotation(), false},
		{"it has ended", owner{"b", "pid:[1]", 6, "50"}.annotation(), true},
		{"it has ended, and another has its number", owner{"b", "pid:[1]", 8, "150"}.annotation(), true},
		{"it can't be told", owner{"b", "pid:[1]", 9, "50"}.annotation(), false},
		{"on another machine, or before this one was started", owner{"a", "pid:[1]", 6, "50"}.annotation(), false},
		{"in another container", owner{"b", "pid:[2]", 6, "50"}.annotation(), false},
		{"nobody", "", false},
		{"nonsense", "{", false},
		{"nothing", "{}", false},
		{"every process of the caller's", `{"boot":"b","pidNamespace":"pid:[1]","pid":-1,"started":"1"}`, false},
	} {
		if got := here.ended(test.annotation, startOf); got != test.ended {
			t.Errorf("%s: ended is %v", test.name, got)
		}
	}
}

// The machine tells this process from one that has ended.
func TestThisProcess(t *testing.T) {
	t.Parallel()
	here, err := thisProcess()
	if runtime.GOOS != "linux" {
		if err == nil {
			t.Errorf("%+v", here)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if here.ended(here.annotation(), startOf) {
		t.Errorf("%s has not ended", here.annotation())
	}
	command := exec.CommandContext(t.Context(), "cat") // it ends with its input
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	child := here
	child.PID = command.Process.Pid
	if child.Started, err = startOf(child.PID); err != nil {
		t.Fatal(err)
	}
	if here.ended(child.annotation(), startOf) {
		t.Errorf("%s has not ended", child.annotation())
	}
	input.Close()
	err = wait.PollUntilContextTimeout(t.Context(), time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		return here.ended(child.annotation(), startOf), nil
	})
	if err != nil {
		t.Errorf("%s has ended, but its parent has not asked how: %v", child.annotation(), err)
	}
	if err := command.Wait(); err != nil {
		t.Fatal(err)
	}
	if !here.ended(child.annotation(), startOf) {
		t.Errorf("%s has ended", child.annotation())
	}
}
