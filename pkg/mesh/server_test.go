package mesh

import "testing"

func TestIsLocal(t *testing.T) {
	t.Parallel()
	for server, want := range map[string]bool{
		"https://127.0.0.1:6443": true, "https://127.9.9.9": true, "https://localhost:6443": true, "https://LocalHost": true,
		"https://[::1]:6443": true, "https://0.0.0.0:6443": true, "https://[::]:6443": true, "https://kind.localhost:6443/path": true,
		"localhost:6443": true, "127.0.0.1:6443": true, "127.0.0.1": true, "[::1]:6443": true,
		"https://10.0.0.1:6443": false, "https://api.example:6443": false, "https://localhost.example": false, "https://[fd00::1]:6443": false,
		"api.example:6443": false, "": false, "https://": false, "%": false,
	} {
		if got := IsLocal(server); got != want {
			t.Errorf("IsLocal(%q) = %v", server, got)
		}
	}
}
