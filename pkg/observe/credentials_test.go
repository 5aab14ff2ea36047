package observe

import (
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func TestFailedUse(t *testing.T) {
	t.Parallel()
	called := func(err error) error { return &url.Error{Op: "Get", URL: "https://west.example:6443", Err: err} }
	for name, test := range map[string]struct {
		err  error
		want snapshot.CredentialProblem
	}{
		"refused":             {called(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}), snapshot.ServerUnreachable},
		"an unknown name":     {called(&net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}), snapshot.ServerUnreachable},
		"silence":             {called(os.ErrDeadlineExceeded), snapshot.ServerUnreachable},
		"too many open files": {called(&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}), snapshot.UseUnknown},
		"no time to begin":    {errors.New("client rate limiter Wait returned an error: rate: Wait(n=1) would exceed context deadline"), snapshot.UseUnknown},
		"the token":           {apierrors.NewUnauthorized("Unauthorized"), snapshot.TokenRefused},
		"a certificate":       {called(x509.UnknownAuthorityError{}), snapshot.ServerUntrusted},
		"an answer":           {apierrors.NewInternalError(errors.New("etcd")), snapshot.UseUnknown},
	} {
		if got := FailedUse(t.Context(), test.err); got.Problem != test.want {
			t.Errorf("%s is %+v, want %s", name, got, test.want)
		}
	}
}
