package observe

import (
	"net"
	"os"
	"syscall"
	"testing"
)

func TestHidesGateway(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"an answer":           {nil, false},
		"too many open files": {&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}, true},
		"refused":             {&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, false},
		"an unknown name":     {&net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}, false},
		"no word on the name": {&net.OpError{Op: "dial", Err: &net.DNSError{IsTimeout: true}}, false},
	} {
		if got := hidesGateway(test.err); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
