// Package facts is what follows from a snapshot: whether a remote is synced, where a secret leads, whether networks are connected.
// Each is decided once, here, so that plan, checks, waits, status and report can't disagree. It is pure.
package facts
