package handshake

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http/httptest"
	"testing"
	"time"
)

// silent is the address of somebody who takes connections and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().String()
}

// refusing is the address of nobody.
func refusing(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	return listener.Addr().String()
}

func TestMake(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(nil)
	t.Cleanup(secure.Close)
	plain := httptest.NewServer(nil)
	t.Cleanup(plain.Close)
	for _, test := range []struct {
		name, address string
		connected     bool
		err           string
	}{
		{"TLS", secure.Listener.Addr().String(), true, ""},
		{"no TLS", plain.Listener.Addr().String(), true, "no TLS handshake: tls: first record does not look like a TLS handshake"},
		{"silent", silent(t), true, "no TLS handshake: i/o timeout"},
		{"refused", refusing(t), false, "connect: connection refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			result := Make(ctx, Dial{Address: test.address, ServerName: "istiod.istio-system.svc"})
			if result.Connected != test.connected || result.Error != test.err || result.Address != test.address {
				t.Errorf("got %+v", result)
			}
			if shown := len(result.Chain) == 1 && bytes.Equal(result.Chain[0], secure.Certificate().Raw); shown != (test.err == "") {
				t.Errorf("shown were %d certificates", len(result.Chain))
			}
		})
	}
}

// Somebody who begins to answer a moment later is met.
func TestMakeAllTriesAgain(t *testing.T) {
	t.Parallel()
	late := refusing(t)
	secure := httptest.NewUnstartedServer(nil)
	t.Cleanup(secure.Close)
	secure.StartTLS()
	begun := make(chan struct{})
	go func() {
		<-begun
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", late)
		if err != nil {
			return
		}
		defer listener.Close()
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", secure.Listener.Addr().String())
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(server, connection) }()
			go func() { _, _ = io.Copy(connection, server) }()
		}
	}()
	if result := Make(t.Context(), Dial{Address: late}); result.Error == "" {
		t.Fatal("somebody was there too early")
	}
	close(begun)
	results, err := MakeAll(t.Context(), []Dial{{Address: late}})
	if err != nil || results[0].Error != "" {
		t.Errorf("got %+v, %v", results, err)
	}
}
