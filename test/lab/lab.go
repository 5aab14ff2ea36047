package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// Lab is the clusters that go by one name on this machine.
type Lab struct {
	name     string
	progress io.Writer
	started  time.Time
}

// New returns the lab with a name. Progress, for a person to read, is written to progress.
func New(name string, progress io.Writer) (*Lab, error) {
	if !regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,22}[a-z0-9])?$`).MatchString(name) {
		return nil, fmt.Errorf("%q cannot name a lab: use up to 24 small letters, digits and hyphens", name)
	}
	return &Lab{name: name, progress: progress, started: time.Now()}, nil
}

// Build makes all that the clusters run, so that Up need not.
func (l *Lab) Build(ctx context.Context) error {
	_, err := build(ctx, l.say)
	return err
}

func (l *Lab) say(format string, args ...any) {
	fmt.Fprintf(l.progress, "%6.1f s  %s\n", time.Since(l.started).Seconds(), fmt.Sprintf(format, args...))
}

// hub is the name of the space that joins the clusters.
const hub = "hub"

func (l *Lab) dir() string        { return filepath.Join(home, l.name) }
func (l *Lab) programs() string   { return filepath.Join(l.dir(), "programs") }
func (l *Lab) tools() string      { return filepath.Join(l.dir(), "bin") }
func (l *Lab) images() string     { return filepath.Join(l.dir(), "images") }
func (l *Lab) kubeconfig() string { return filepath.Join(l.dir(), "kubeconfig") }
func (l *Lab) overlay() string    { return filepath.Join(l.dir(), "istio.yaml") }
func (l *Lab) group() string      { return filepath.Join(cgroupRoot, l.name) }

// space returns the space of a cluster, or of the hub.
func (l *Lab) space(name string) space {
	return space{group: filepath.Join(l.group(), name), dir: filepath.Join(l.dir(), name), keep: []string{home}}
}

func (l *Lab) clusterOf(s state, of Cluster) cluster {
	return cluster{
		Cluster: of,
		lab:     s.Number,
		labName: l.name,
		dir:     filepath.Join(l.dir(), of.Name),
		bin:     l.programs(),
		machine: findMachine(),
	}
}

// authorityOf is the folder of the certificate authority that a cluster shares with others; empty for one of its own.
func (l *Lab) authorityOf(of cluster) string {
	if !of.SharedCA {
		return ""
	}
	return filepath.Join(l.dir(), "shared-ca")
}

func (l *Lab) clusters(s state) []cluster {
	all := make([]cluster, 0, len(s.Clusters))
	for _, each := range s.Clusters {
		all = append(all, l.clusterOf(s, each))
	}
	return all
}

// lock takes the lab for this process alone.
func (l *Lab) lock(ctx context.Context) (unlock func(), err error) {
	return lock(ctx, l.dir(), func() { l.say("waiting for another process that works on this lab") })
}

// read returns the lab's state, and says what to do if there is none.
func (l *Lab) read() (state, error) {
	if os.Geteuid() != 0 {
		return state{}, errNeedsRoot
	}
	s, err := readState(l.dir())
	if errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("there is no lab %q: lab up --lab %s", l.name, l.name)
	}
	return s, err
}

// eachCluster does something to every cluster at once.
func eachCluster(ctx context.Context, clusters []cluster, do func(context.Context, cluster) error) error {
	tasks, ctx := errgroup.WithContext(ctx)
	for _, each := range clusters {
		tasks.Go(func() error { return do(ctx, each) })
	}
	return tasks.Wait()
}

// findMachine finds what the machine brings. What is missing has an empty place; checkMachine says so.
func findMachine() machine {
	var m machine
	m.containerd, _ = lookPath("containerd")
	for _, dir := range []string{"/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"} {
		if m.cni == "" && executable(filepath.Join(dir, "bridge")) {
			m.cni = dir
		}
	}
	return m
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && info.Mode()&0o111 != 0
}

var errNeedsRoot = errors.New("a lab needs root: it makes network namespaces, mounts and cgroups")

// checkMachine says, in one line, what a lab cannot do without.
func checkMachine() error {
	if os.Geteuid() != 0 {
		return errNeedsRoot
	}
	found := findMachine()
	onPath := func(program string) bool {
		_, err := lookPath(program)
		return err == nil
	}
	var missing, packages []string
	for _, need := range []struct {
		what, of string
		there    bool
	}{
		{"containerd", "containerd", found.containerd != ""},
		{"containerd-shim-runc-v2", "containerd", onPath("containerd-shim-runc-v2")},
		{"runc", "runc", onPath("runc")},
		{"the CNI plugins", "containernetworking-plugins", found.cni != ""},
		{"iptables", "iptables", onPath("iptables")},
		{"nft", "nftables", onPath("nft")},
		{"conntrack", "conntrack", onPath("conntrack")},
	} {
		if !need.there {
			missing, packages = append(missing, need.what), append(packages, need.of)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("missing: %s. Install: apt-get install %s", strings.Join(missing, ", "), strings.Join(packages, " "))
	}
	if _, err := exec.LookPath("go"); err != nil {
		return errors.New("missing: go, which builds Kubernetes and Istio. Install: https://go.dev/dl")
	}
	var system unix.Utsname
	if err := unix.Uname(&system); err == nil && unix.ByteSliceToString(system.Machine[:]) != "x86_64" {
		return errors.New("a lab needs an x86_64 machine: its Envoy is built for no other")
	}
	return nil
}
