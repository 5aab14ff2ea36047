package istio

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// signed is a token with these claims, signed as an API server with an ECDSA key does.
func signed(t *testing.T, claims jwt.Claims) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return []byte(token)
}

func TestTokenEnds(t *testing.T) {
	t.Parallel()
	end := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, test := range map[string]struct {
		token []byte
		want  time.Time
	}{
		"one with an end":    {signed(t, jwt.Claims{Expiry: jwt.NewNumericDate(end)}), end},
		"one without":        {signed(t, jwt.Claims{Subject: "system:serviceaccount:istio-system:reader"}), time.Time{}},
		"no token of a JWT":  {[]byte("abc.def"), time.Time{}},
		"three parts of dot": {[]byte(".."), time.Time{}},
		"nothing":            {nil, time.Time{}},
	} {
		if got := TokenEnds(test.token); !got.Equal(test.want) {
			t.Errorf("%s ends at %s, want %s", name, got, test.want)
		}
	}
}
