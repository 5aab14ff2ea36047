package app

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
)

// holder names this run, and whose it is, for others that have to wait for it: alice@laptop/4211.
func holder() string {
	who := strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return fmt.Sprintf("%s@%s/%d", who, host, os.Getpid())
}
