package snapshot

import "strings"

// SameServer is true for two spellings of one API server's address.
func SameServer(a, b string) bool {
	return a != "" && strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/")
}
