package echo

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/handshake"
)

func TestControl(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(control())
	t.Cleanup(server.Close)
	secure := httptest.NewTLSServer(nil)
	t.Cleanup(secure.Close)
	many, err := json.Marshal(make([]handshake.Dial, handshake.Most+1))
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
