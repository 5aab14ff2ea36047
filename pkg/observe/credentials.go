package observe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// FailedUse names the kind of the error that using credentials ended with, before ctx did. Only an error of the network says
// that the server is unreachable; a fault that is this machine's, or that of a proxy which answered in the API server's place,
// says nothing of them, and neither does one that is none of these, as where the time is too short to begin.
func FailedUse(ctx context.Context, err error) *snapshot.CredentialUse {
	failed := &snapshot.CredentialUse{Problem: snapshot.UseUnknown, Error: cluster.Reason(err)}
	var (
		status  apierrors.APIStatus
		network net.Error
	)
	switch {
	case apierrors.IsUnauthorized(err) && cluster.Answered(err):
		failed.Problem = snapshot.TokenRefused
	case untrusted(err):
		failed.Problem = snapshot.ServerUntrusted
	case ctx.Err() != nil:
		failed.Error = cluster.Reason(context.Cause(ctx))
	case errors.As(err, &status), cluster.OfThisMachine(err), cluster.Misanswered(err):
	case errors.As(err, &network):
		failed.Problem = snapshot.ServerUnreachable
	}
	return failed
}

// untrusted is true for the error of a handshake with a server whose certificate is not trusted.
func untrusted(err error) bool {
	var (
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
	)
	return errors.As(err, &authority) || errors.As(err, &hostname) || errors.As(err, &invalid) || errors.As(err, &verify)
}
