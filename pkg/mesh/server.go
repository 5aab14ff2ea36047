package mesh

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// ValidateAddress says why other clusters can't reach a gateway by an address: an IPv4 address, or a hostname, which
// must not mean the caller's own machine or network.
func ValidateAddress(address string) error {
	if ip, err := netip.ParseAddr(address); err == nil {
		switch {
		case !ip.Is4():
			return fmt.Errorf("%q is not an IPv4 address, which is what a remote's Service of Istio can lead to", address)
		case ip.IsLoopback(), ip.IsUnspecified(), ip.IsMulticast(), ip.IsLinkLocalUnicast(), ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
			return fmt.Errorf("%q is not an address that another cluster can call", address)
		}
		return nil
	}
	if problems := validation.IsDNS1123Subdomain(address); len(problems) > 0 {
		return fmt.Errorf("%q is neither an IPv4 address nor a hostname", address)
	}
	if last := address[strings.LastIndex(address, ".")+1:]; strings.Trim(last, "0123456789") == "" {
		return fmt.Errorf("%q is not an IPv4 address, and no hostname ends in a number", address)
	}
	if IsLocal(address) {
		return fmt.Errorf("%q is not an address that another cluster can call", address)
	}
	return nil
}

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
