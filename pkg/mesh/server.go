package mesh

import (
	"net"
	"net/url"
	"strings"
)

// IsLocal is true for an API server's address that means the caller's own machine, whoever calls.
func IsLocal(server string) bool {
	if !strings.Contains(server, "://") { // a kubeconfig may leave it out
		server = "https://" + server
	}
	host := server
	if parsed, err := url.Parse(server); err == nil && parsed.Host != "" {
		host = strings.ToLower(parsed.Hostname())
	}
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}
