// Package handshake makes TLS handshakes and says what servers showed, from wherever it runs: where a command does, or in a probe's
// pod. It depends on nothing else, so that the probe's program stays small.
package handshake

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Bounds on handshakes: how many are made at once, how long each may take, and how long it is made again.
const (
	Most     = 500
	timeout  = 3 * time.Second
	settle   = 5 * time.Second
	between  = 500 * time.Millisecond
	maxChain = 32 << 10
)

// Dial asks for a TLS handshake.
type Dial struct {
	// Address is HOST:PORT.
	Address string `json:"address"`
	// ServerName is whom to ask for.
	ServerName string `json:"serverName"`
}

// Result is what came of a Dial.
type Result struct {
	Dial
	// Connected is true when there was a connection, with or without a handshake.
	Connected bool `json:"connected"`
	// Chain is what the server showed, each certificate in DER, its own first. Nobody has checked it.
	Chain [][]byte `json:"chain,omitempty"`
	// Error says why there was no handshake; empty when there was one.
	Error string `json:"error,omitempty"`
	// Cause is that error, for who made the handshake.
	Cause error `json:"-"`
}

// MakeAll makes handshakes at once. One that fails is tried again for some seconds: the network of a pod that has just
// started may not be ready.
func MakeAll(ctx context.Context, dials []Dial) ([]Result, error) {
	if len(dials) > Most {
		return nil, fmt.Errorf("%d handshakes are more than the %d that a probe makes", len(dials), Most)
	}
	results := make([]Result, len(dials))
	var running sync.WaitGroup
	for i, dial := range dials {
		running.Go(func() { results[i] = makeUntil(ctx, dial) })
	}
	running.Wait()
	return results, nil
}

func makeUntil(ctx context.Context, dial Dial) Result {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	for {
		result := Make(ctx, dial)
		if result.Error == "" {
			return result
		}
		select {
		case <-ctx.Done():
			return result
		case <-time.After(between):
		}
	}
}

// Make makes one handshake and sends nothing. Whether the certificates are the right ones is for the caller to
// say, who has what they must be checked against.
func Make(ctx context.Context, dial Dial) Result {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	result := Result{Dial: dial}
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", dial.Address)
	if err != nil {
		result.Error, result.Cause = reason(err), err
		return result
	}
	defer connection.Close()
	result.Connected = true
	secured := tls.Client(connection, &tls.Config{
		ServerName:         dial.ServerName,
		NextProtos:         []string{"h2", "http/1.1"},
		InsecureSkipVerify: true, //nolint:gosec // see above
	})
	if err := secured.HandshakeContext(ctx); err != nil {
		result.Error, result.Cause = "no TLS handshake: "+reason(err), err
		return result
	}
	size := 0
	for _, certificate := range secured.ConnectionState().PeerCertificates {
		if size += len(certificate.Raw); size > maxChain {
			break
		}
		result.Chain = append(result.Chain, certificate.Raw)
	}
	return result
}

// reason is an error without the addresses, which its reader knows.
func reason(err error) string {
	var operation *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "i/o timeout"
	case errors.As(err, &operation):
		return operation.Err.Error()
	}
	return err.Error()
}
