package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/util/wait"
)

// home holds a folder for each lab of the machine. It is a fixed place, so that a lab is found whoever started it, and
// it is none of the places that a space hides.
const home = "/var/cache/kubectl-mesh-lab"

// state is what was asked for. What runs is asked of the kernel.
type state struct {
	// Number is the lab's, in the address plan.
	Number   int       `json:"number"`
	Clusters []Cluster `json:"clusters"`
}

// Cluster is one cluster as it was asked for.
type Cluster struct {
	Name string `json:"name"`
	// Number is the cluster's, in the address plan.
	Number int `json:"number"`
	// Network is the name of the network that its pods are on.
	Network string `json:"network"`
	// Nodeless is a cluster without a node: nothing can run in it.
	Nodeless bool `json:"nodeless"`
	// AggregatorRouting has the API server call webhooks at the endpoints of their Services, as EKS and k3s do; it does so
	// anyway in a cluster without a node.
	AggregatorRouting bool `json:"aggregatorRouting,omitempty"`
	// SharedCA is true where the certificate authority is that of other clusters, too.
	SharedCA bool `json:"sharedCA,omitempty"`
	// LoadBalancer is the way in which Services of that type get their address.
	LoadBalancer LoadBalancerMode `json:"loadBalancer"`
}

// LoadBalancerMode is what the load balancer of a cluster gives.
type LoadBalancerMode string

// What a load balancer can give: an IP address, a DNS name, two of them, or nothing, as in a cluster that has none.
const (
	LoadBalancerIP        LoadBalancerMode = "ip"
	LoadBalancerHostname  LoadBalancerMode = "hostname"
	LoadBalancerHostnames LoadBalancerMode = "hostnames"
	LoadBalancerNone      LoadBalancerMode = "none"
)

func readState(dir string) (state, error) {
	var s state
	raw, err := os.ReadFile(filepath.Join(dir, "lab.json"))
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("%s: %w", filepath.Join(dir, "lab.json"), err)
	}
	return s, nil
}

func (s state) write(dir string) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, "lab.json"), raw, 0o644)
}

// cluster returns the named cluster's place in the state.
func (s state) cluster(name string) (*Cluster, error) {
	names := make([]string, 0, len(s.Clusters))
	for i := range s.Clusters {
		if s.Clusters[i].Name == name {
			return &s.Clusters[i], nil
		}
		names = append(names, s.Clusters[i].Name)
	}
	return nil, fmt.Errorf("there is no cluster %q in this lab; it has %v", name, names)
}

// writeFile replaces a file at once, so that nobody reads half of it.
func writeFile(path string, content []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(content)
	if err := errors.Join(err, temporary.Chmod(mode), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}

// lock takes a folder for one process at a time, and makes it if need be. Whoever holds the lock may remove the folder:
// those who wait for it then lock the next one of that name.
func lock(ctx context.Context, dir string, waiting func()) (unlock func(), err error) {
	var held *os.File
	told := false
	try := func(context.Context) (bool, error) {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return false, err
		}
		file, err := os.Open(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		} else if err != nil {
			return false, err
		}
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil && sameFile(file, dir) {
			held = file
			return true, nil
		}
		file.Close()
		if err != nil && !errors.Is(err, unix.EWOULDBLOCK) {
			return false, fmt.Errorf("lock %s: %w", dir, err)
		}
		if !told && waiting != nil {
			told = true
			waiting()
		}
		return false, nil
	}
	if err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 10*time.Minute, true, try); err != nil {
		return nil, fmt.Errorf("lock %s, which another process holds: %w", dir, err)
	}
	return func() { held.Close() }, nil
}

func sameFile(file *os.File, path string) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(opened, named)
}
