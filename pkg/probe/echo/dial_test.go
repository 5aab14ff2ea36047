package echo

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
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

func TestHandshake(t *testing.T) {
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
			result := Handshake(ctx, Dial{Address: test.address, ServerName: "istiod.istio-system.svc"})
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
func TestDialAllTriesAgain(t *testing.T) {
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
	if result := Handshake(t.Context(), Dial{Address: late}); result.Error == "" {
		t.Fatal("somebody was there too early")
	}
	close(begun)
	results, err := DialAll(t.Context(), []Dial{{Address: late}})
	if err != nil || results[0].Error != "" {
		t.Errorf("got %+v, %v", results, err)
	}
}

func TestControl(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(control())
	t.Cleanup(server.Close)
	secure := httptest.NewTLSServer(nil)
	t.Cleanup(secure.Close)
	many, err := json.Marshal(make([]Dial, maxDials+1))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, path, asked string
		status            int
		said              string
	}{
		{"a handshake", PathDial, `[{"address":"` + secure.Listener.Addr().String() + `"}]`, http.StatusOK, `"connected":true,"chain":["`},
		{"no JSON", PathDial, "dials", http.StatusBadRequest, "invalid character"},
		{"too many handshakes", PathDial, string(many), http.StatusBadRequest, "501 handshakes are more than the 500"},
		{"too many calls", PathCall, `{"tasks":[{"protocol":"http","host":"localhost","count":101}]}`, http.StatusBadRequest, "101 calls are more than the 100"},
		{"more than anybody asks", PathDial, `["` + strings.Repeat("x", maxAsked) + `"]`, http.StatusBadRequest, "too large"},
		{"something else", "else", "{}", http.StatusNotFound, "not found"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/"+test.path, strings.NewReader(test.asked))
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			said, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != test.status || !strings.Contains(string(said), test.said) {
				t.Errorf("%d %s (%v)", response.StatusCode, said, err)
			}
		})
	}
}
