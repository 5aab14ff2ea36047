package cmd

import (
	"bytes"
	"io"
	"strings"
	"syscall"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// unwritable is a stream that can't be written to.
type unwritable struct{ err error }

func (u unwritable) Write([]byte) (int, error) { return 0, u.err }

// Where nobody reads any more, a command ends as one that SIGPIPE ends; where the output is lost otherwise, it says so.
func TestOutputThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		out, errOut error
		args        string
		code        int
		says        string
	}{
		{"pipe closed", syscall.EPIPE, nil, "verify --list", ExitUnread, ""},
		{"pipe of errors closed", nil, syscall.EPIPE, "verify --nonsense", ExitUnread, ""},
		{"disk full", syscall.ENOSPC, nil, "verify --list", ExitFailed, "error: the output could not be written: no space left on device\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out, errOut bytes.Buffer
			stream := func(buffer *bytes.Buffer, err error) io.Writer {
				if err != nil {
					return unwritable{err}
				}
				return buffer
			}
			streams := genericiooptions.IOStreams{In: strings.NewReader(""), Out: stream(&out, test.out), ErrOut: stream(&errOut, test.errOut)}
			code := Main(t.Context(), append([]string{"kubectl-mesh"}, strings.Fields(test.args)...), streams)
			if code != test.code || errOut.String() != test.says {
				t.Errorf("exit code %d, want %d; stderr %q, want %q", code, test.code, errOut.String(), test.says)
			}
		})
	}
}
