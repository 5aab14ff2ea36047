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
