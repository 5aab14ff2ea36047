//go:build unix

package labtest

import (
	"os"
	"syscall"
)

// lock locks a file, unless somebody else has. The lock ends with the process, however that ends.
func lock(file *os.File) (locked bool) {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// share locks a file beside others who share it, as soon as nobody has it alone.
func share(file *os.File) error { return syscall.Flock(int(file.Fd()), syscall.LOCK_SH) }
