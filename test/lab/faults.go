package lab

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// program returns the named component of a cluster, or of the hub.
func (l *Lab) program(of, component string) (program, error) {
	if of == hub {
		if component != "serve" {
			return program{}, fmt.Errorf("the hub has no component %q; it has serve", component)
		}
		return l.serverProgram(), nil
	}
	current, err := l.read()
	if err != nil {
		return program{}, err
	}
	named, err := current.cluster(of)
	if err != nil {
		return program{}, err
	}
	found, err := l.clusterOf(current, *named).component(component)
	return found.program, err
}

// running returns the process of a component, which must run.
func (l *Lab) running(cluster, component string) (pid int, err error) {
	p, err := l.program(cluster, component)
	if err != nil {
		return 0, err
	}
	groups, err := findCgroups()
	if err != nil {
		return 0, err
	}
	pid, _, err = find(groups, p.group, filepath.Base(p.argv[0]))
	if err == nil && pid == 0 {
		err = died(cluster+": "+component, p, nil)
	}
	return pid, err
}

// Stop ends a component of a cluster; a paused one, too.
func (l *Lab) Stop(ctx context.Context, cluster, component string) error {
	pid, err := l.running(cluster, component)
	if err != nil {
		return err
	}
	return stop(ctx, pid)
}

// Start starts a component again. It returns when the cluster is ready, if all others run.
func (l *Lab) Start(ctx context.Context, name, component string) error {
	p, err := l.program(name, component)
	if err != nil {
		return err
	}
	groups, err := findCgroups()
	if err != nil {
		return err
	}
	if name == hub {
		return l.ensureServer(ctx, groups)
	}
	holder, err := l.space(name).holder(groups)
	if err != nil {
		return err
	}
	current, err := l.read()
	if err != nil {
		return err
	}
	named, err := current.cluster(name)
	if err != nil {
		return err
	}
	of := l.clusterOf(current, *named)
	w := watch{lab: l, groups: groups, cluster: of, started: map[string]*process{}}
	if err := w.ensure(p, holder); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, each := range of.components() {
		if pid, state, err := find(groups, each.group, filepath.Base(each.argv[0])); err != nil || pid == 0 || state == "T" {
			return err
		}
	}
	return w.until(ctx, of.ready)
}

// Pause stops a component without ending it: it keeps its connections, and answers nobody.
func (l *Lab) Pause(cluster, component string) error {
	return l.signal(cluster, component, unix.SIGSTOP)
}

// Resume lets a paused component go on.
func (l *Lab) Resume(cluster, component string) error {
	return l.signal(cluster, component, unix.SIGCONT)
}

func (l *Lab) signal(cluster, component string, signal unix.Signal) error {
	pid, err := l.running(cluster, component)
	if err != nil {
		return err
	}
	if err := unix.Kill(pid, signal); err != nil {
		return fmt.Errorf("%s: send %v to %s: %w", cluster, signal, component, err)
	}
	return nil
}

// SetLoadBalancer changes what the load balancer of a cluster gives, also to Services that have got something else.
func (l *Lab) SetLoadBalancer(ctx context.Context, cluster string, mode LoadBalancerMode) error {
	switch mode {
	case LoadBalancerIP, LoadBalancerHostname, LoadBalancerHostnames, LoadBalancerNone:
	default:
		return fmt.Errorf("a load balancer can give %s, %s, %s or %s, not %q", LoadBalancerIP, LoadBalancerHostname, LoadBalancerHostnames, LoadBalancerNone, mode)
	}
	unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	current, err := l.read()
	if err != nil {
		return err
	}
	named, err := current.cluster(cluster)
	if err != nil {
		return err
	}
	named.LoadBalancer = mode
	if err := current.write(l.dir()); err != nil {
		return err
	}
	return l.reload(ctx)
}

// Push adds an image to the lab's registry, made of one static program that is its entrypoint. The lab need not be up.
func (l *Lab) Push(ctx context.Context, image, path string) error {
	name, err := fullName(image)
	if err != nil {
		return err
	}
	if err := checkStatic(path); err != nil {
		return err
	}
	unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	built, err := imageOf(name.String(), path).build()
	if err != nil {
		return fmt.Errorf("image %s: %w", name, err)
	}
	if err := makeLayout(l.images()); err != nil {
		return err
	}
	if err := nameImage(l.images(), name.String(), built); err != nil {
		return fmt.Errorf("image %s: %w", name, err)
	}
	current, err := readState(l.dir())
	if errors.Is(err, fs.ErrNotExist) {
		return nil // The registry begins with what it finds there.
	} else if err != nil {
		return err
	}
	if err := putImage(ctx, registryAddress(current.Number), name.String(), built); err != nil {
		return fmt.Errorf("push %s to the lab's registry: %w", name, err)
	}
	return nil
}

// imageOf is an image of one program.
func imageOf(name, path string) image {
	inside := "/" + filepath.Base(path)
	return image{
		name:       name,
		entrypoint: []string{inside},
		files:      map[string]imageFile{inside: {from: path}, "/tmp/.keep": {}},
	}
}

// checkStatic returns an error unless a program runs in an image that has nothing else.
func checkStatic(path string) error {
	program, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("%s is no program for Linux: %w", path, err)
	}
	defer program.Close()
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP {
			return fmt.Errorf("%s needs shared libraries, which its image would not have; build it with CGO_ENABLED=0", path)
		}
	}
	return nil
}

// Log returns the file to which a component of a cluster writes; the hub's is serve.
func (l *Lab) Log(cluster, component string) (string, error) {
	p, err := l.program(cluster, component)
	return p.log, err
}

// SaveLogs copies the logs of all components and pods to a folder, such as one that outlives a failed run.
func (l *Lab) SaveLogs(to string) error {
	found, err := filepath.Glob(filepath.Join(l.dir(), "*", "logs"))
	if err != nil {
		return err
	}
	for _, from := range found {
		name := filepath.Base(filepath.Dir(from))
		err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			target := filepath.Join(to, name, strings.TrimPrefix(path, from))
			if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
				return err
			}
			return copyFile(path, target, 0o644)
		})
		if err != nil {
			return fmt.Errorf("save the logs of %s: %w", name, err)
		}
	}
	return nil
}
