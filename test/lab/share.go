package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// period is that in which the kernel counts a cgroup's use of processors, in microseconds.
const period = 100_000

// SetProcessors holds what runs of a cluster to so many processors, all of it together; 0 takes that back. Clusters that
// share a machine then don't take each other's time, as they don't where each has machines of its own. A component that
// is started later is not held to it.
func (l *Lab) SetProcessors(name string, processors float64) error {
	current, err := l.read()
	if err != nil {
		return err
	}
	named, err := current.cluster(name)
	if err != nil {
		return err
	}
	if processors < 0 {
		return fmt.Errorf("%s can't have %g processors", name, processors)
	}
	groups, err := findCgroups()
	if err != nil {
		return err
	}
	if groups.cpu == "" {
		return errors.New("no cgroup file system with the cpu controller is mounted")
	}
	of := l.clusterOf(current, *named)
	if err := groups.limitProcessors(of.group(), processors); err != nil {
		return fmt.Errorf("%s: hold it to %g processors: %w", name, processors, err)
	}
	if groups.unified {
		return nil
	}
	// In version 1 the components are members of one hierarchy only, which is another one.
	for _, component := range of.components() {
		pids, err := groups.members(component.group)
		if err != nil {
			return err
		}
		for _, pid := range pids {
			member := filepath.Join(groups.cpu, component.group, "cgroup.procs")
			if err := os.WriteFile(member, []byte(strconv.Itoa(pid)), 0); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("%s: %s: %w", name, component.name, err)
			}
		}
	}
	return nil
}

func (c cgroups) limitProcessors(group string, processors float64) error {
	quota := int(processors * period)
	if c.unified {
		limit := "max"
		if quota > 0 {
			limit = strconv.Itoa(quota)
		}
		return os.WriteFile(filepath.Join(c.cpu, group, "cpu.max"), fmt.Appendf(nil, "%s %d", limit, period), 0)
	}
	if quota == 0 {
		quota = -1
	}
	if err := os.WriteFile(filepath.Join(c.cpu, group, "cpu.cfs_period_us"), []byte(strconv.Itoa(period)), 0); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.cpu, group, "cpu.cfs_quota_us"), []byte(strconv.Itoa(quota)), 0)
}
