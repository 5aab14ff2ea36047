package facts

import "net/netip"

// IsIPv4 is true for an address that Istio's remote profile takes for an IP; it takes all others for hostnames.
func IsIPv4(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err == nil && ip.Unmap().Is4()
}

// IsHostname is true for an address that is no IP.
func IsHostname(address string) bool {
	_, err := netip.ParseAddr(address)
	return address != "" && err != nil
}

// IsAttachable is false for an address that remotes can't be given: an IPv6 one, which Istio's charts take for a hostname.
func IsAttachable(address string) bool {
	return address == "" || IsIPv4(address) || IsHostname(address)
}
