package istio

import (
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// TokenEnds is when a service account's token ends by what is written in it; zero for one that does not, as those in
// Secrets, and for what is no such token. Nobody's signature is checked: the API server does that.
func TokenEnds(token []byte) time.Time {
	// The algorithms of --service-account-signing-key-file.
	parsed, err := jwt.ParseSigned(string(token), []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.ES384, jose.ES512})
	if err != nil {
		return time.Time{}
	}
	var claims jwt.Claims
	if err := parsed.UnsafeClaimsWithoutVerification(&claims); err != nil || claims.Expiry == nil {
		return time.Time{}
	}
	return claims.Expiry.Time().UTC()
}
