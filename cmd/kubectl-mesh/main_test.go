package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// actAs is the variable by which the test's own program is told what else it is to be.
const actAs = "KUBECTL_MESH_TEST_ACT_AS"

func TestMain(m *testing.M) {
	switch os.Getenv(actAs) {
	case "kubectl-mesh":
		os.Exit(run())
	case "a job":
		os.Exit(job(context.Background(), os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// job says when it waits for a signal and when one has come, and ends with its input.
func job(ctx context.Context, in io.Reader, out io.Writer) int {
	ctx, stop := untilSignal(ctx)
	defer stop()
	fmt.Fprintln(out, "waits")
	ended := make(chan struct{})
	context.AfterFunc(ctx, func() {
		fmt.Fprintln(out, "ends")
		close(ended)
	})
	if _, err := io.Copy(io.Discard, in); err != nil {
		return 1
	}
	if ctx.Err() != nil {
		<-ended
	}
	return 0
}

// shell runs a script in which $0 is the test's own program as something else.
func shell(ctx context.Context, is, script string) *exec.Cmd {
	command := exec.CommandContext(ctx, "sh", "-c", script, os.Args[0])
	command.Env = append(os.Environ(), actAs+"="+is)
	return command
}

// The first signal ends the work in good order. A second one ends the program, except SIGHUP, of which a terminal that is
// closed sends several.
func TestSignals(t *testing.T) {
	// A program inherits signals that are ignored, as by nohup, but no handler.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT)
	for _, test := range []struct {
		signal syscall.Signal
		again  bool // the second one ends the program
	}{
		{syscall.SIGINT, true},
		{syscall.SIGTERM, true},
		{syscall.SIGHUP, false},
	} {
		t.Run(test.signal.String(), func(t *testing.T) {
			command := shell(t.Context(), "a job", `exec "$0"`)
			in, said := begin(t, command)
			said("waits")
			kill(t, command, test.signal)
			said("ends")
			ended := make(chan error, 1)
			go func() { ended <- command.Wait() }()
			if !test.again {
				kill(t, command, test.signal)
				in.Close()
				if err := <-ended; err != nil {
					t.Errorf("it did not end in good order: %v", err)
				}
				return
			}
			// It may come before the handler is gone.
			err := wait.PollUntilContextTimeout(t.Context(), 10*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
				kill(t, command, test.signal)
				select {
				case err := <-ended:
					var exit *exec.ExitError
					if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != test.signal {
						t.Errorf("it ended with %v", err)
					}
					return true, nil
				default:
					return false, nil
				}
			})
			if err != nil {
				t.Error("a second signal did not end it")
			}
		})
	}
}

// Under nohup a program goes on when its terminal is closed.
func TestNohup(t *testing.T) {
	command := shell(t.Context(), "a job", `trap "" HUP; exec "$0"`)
	in, said := begin(t, command)
	said("waits")
	kill(t, command, syscall.SIGHUP)
	in.Close()
	if err := command.Wait(); err != nil {
		t.Error(err)
	}
}

// begin starts a program; said waits until it has written a line.
func begin(t *testing.T, command *exec.Cmd) (in io.WriteCloser, said func(line string)) {
	t.Helper()
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	return in, func(line string) {
		t.Helper()
		if text, err := lines.ReadString('\n'); strings.TrimSpace(text) != line {
			t.Fatalf("it says %q (%v), not %q", text, err, line)
		}
	}
}

func kill(t *testing.T, command *exec.Cmd, with syscall.Signal) {
	t.Helper()
	if err := command.Process.Signal(with); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
}

// `| head -1`: what nobody reads ends the program as quietly as the signal would, with the exit code that shells make of it.
func TestNobodyReads(t *testing.T) {
	for _, script := range []string{`"$0" verify --list`, `"$0" verify --list 2>&1`, `"$0" nonsense 2>&1 >/dev/null`} {
		t.Run(script, func(t *testing.T) {
			command := shell(t.Context(), "kubectl-mesh", script)
			reading, writing, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			reading.Close()
			var errOut strings.Builder
			command.Stdout, command.Stderr = writing, &errOut
			err = command.Run()
			writing.Close()
			if code := command.ProcessState.ExitCode(); code != 141 || errOut.Len() > 0 {
				t.Errorf("exit code %d, %v; stderr %q", code, err, errOut.String())
			}
		})
	}
}

// Before its first word the program neither loads kubectl's translations nor collects garbage: each took a quarter of the CPU of
// --help.
func TestStart(t *testing.T) {
	command := shell(t.Context(), "kubectl-mesh", `exec "$0" --help`)
	command.Env = append(command.Env, "GODEBUG=inittrace=1,gctrace=1", "GOGC=")
	var trace strings.Builder
	command.Stderr = &trace
	if err := command.Run(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(trace.String(), "init github.com/kubectl-mesh/kubectl-mesh/cmd/kubectl-mesh/startup ") {
		t.Fatalf("it starts without the package startup, or there is no trace:\n%s", trace.String())
	}
	for line := range strings.Lines(trace.String()) {
		if strings.HasPrefix(line, "gc ") || strings.HasPrefix(line, "init k8s.io/kubectl/pkg/cmd/apiresources ") {
			t.Error(line)
		}
	}
}
