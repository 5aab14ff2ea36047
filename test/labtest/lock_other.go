//go:build !unix

package labtest

import "os"

// lock never succeeds: there are no labs here.
func lock(*os.File) (locked bool) { return false }

func share(*os.File) error { return nil }
