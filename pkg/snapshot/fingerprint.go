package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Fingerprint stands for a certificate or token in a Snapshot; empty for nothing.
func Fingerprint(data []byte) string {
	if len(data) == 0 {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(string(data))))
	return hex.EncodeToString(sum[:8])
}
