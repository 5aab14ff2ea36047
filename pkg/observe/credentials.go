package observe

import (
	"crypto/tls"
	"crypto/x509"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// FailedUse names the kind of the error that using credentials ended with.
func FailedUse(err error) *CredentialUse {
	failed := &CredentialUse{Problem: ServerUnreachable, Error: err.Error()}
	var (
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
	)
	switch {
	case apierrors.IsUnauthorized(err):
		failed.Problem = TokenRefused
	case errors.As(err, &authority), errors.As(err, &hostname), errors.As(err, &invalid), errors.As(err, &verify):
		failed.Problem = ServerUntrusted
	}
	return failed
}
