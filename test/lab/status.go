package lab

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"
)

// Status is what a lab is like, in the form that programs read.
type Status struct {
	Lab          string            `json:"lab"`
	Dir          string            `json:"dir"`
	Kubeconfig   string            `json:"kubeconfig"`
	Bin          string            `json:"bin"`
	IstioOverlay string            `json:"istioOverlay"`
	Registry     string            `json:"registry"`
	Components   []ComponentStatus `json:"components"`
	Clusters     []ClusterStatus   `json:"clusters"`
}

// ClusterStatus is what a cluster is like.
type ClusterStatus struct {
	Name              string            `json:"name"`
	Index             int               `json:"index"`
	Network           string            `json:"network"`
	Nodeless          bool              `json:"nodeless"`
	AggregatorRouting bool              `json:"aggregatorRouting,omitempty"`
	LoadBalancer      LoadBalancerMode  `json:"loadBalancer"`
	Server            string            `json:"server"`
	Node              string            `json:"node"`
	PodCIDR           string            `json:"podCIDR"`
	ServiceCIDR       string            `json:"serviceCIDR"`
	LBPool            string            `json:"lbPool"`
	Ready             bool              `json:"ready"`
	Lacks             string            `json:"lacks,omitempty"`
	Components        []ComponentStatus `json:"components"`
}

// ComponentStatus is whether a component runs.
type ComponentStatus struct {
	Name    string `json:"name"`
	PID     int    `json:"pid"`
	Running bool   `json:"running"`
	Paused  bool   `json:"paused,omitempty"`
	Log     string `json:"log"`
}

// trouble is why a component does nothing, or "".
func (c ComponentStatus) trouble() string {
	switch {
	case !c.Running:
		return "stopped"
	case c.Paused:
		return "paused"
	}
	return ""
}

// Status looks at the lab.
func (l *Lab) Status(ctx context.Context) (Status, error) {
	current, err := l.read()
	if err != nil {
		return Status{}, err
	}
	groups, err := findCgroups()
	if err != nil {
		return Status{}, err
	}
	status := Status{
		Lab: l.name, Dir: l.dir(), Kubeconfig: l.kubeconfig(), Bin: l.tools(), IstioOverlay: l.overlay(),
		Registry: registryAddress(current.Number),
		Clusters: make([]ClusterStatus, len(current.Clusters)),
	}
	server, err := componentStatus(groups, l.serverProgram())
	if err != nil {
		return status, err
	}
	status.Components = []ComponentStatus{server}
	tasks, ctx := errgroup.WithContext(ctx)
	for i, each := range l.clusters(current) {
		tasks.Go(func() (err error) {
			status.Clusters[i], err = each.status(ctx, groups, i+1)
			return err
		})
	}
	return status, tasks.Wait()
}

func (c cluster) status(ctx context.Context, groups cgroups, index int) (ClusterStatus, error) {
	status := ClusterStatus{
		Name: c.Name, Index: index, Network: c.Network, Nodeless: c.Nodeless, AggregatorRouting: c.AggregatorRouting, LoadBalancer: c.LoadBalancer,
		Server: c.server(), Node: c.node().String(),
		PodCIDR: podRange(c.Number).String(), ServiceCIDR: serviceRange(c.Number).String(),
		LBPool: loadBalancerRange(c.Number).String(), Ready: true,
	}
	for _, each := range c.components() {
		component, err := componentStatus(groups, each.program)
		if err != nil {
			return status, err
		}
		status.Components = append(status.Components, component)
		if trouble := component.trouble(); status.Ready && trouble != "" {
			status.Ready, status.Lacks = false, fmt.Sprintf("%s is %s; its log is %s", each.name, trouble, each.log)
		}
	}
	if !status.Ready {
		return status, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	lacks, err := c.ready(ctx)
	if err != nil {
		lacks = err.Error()
	}
	status.Ready, status.Lacks = lacks == "", lacks
	return status, nil
}

func componentStatus(groups cgroups, p program) (ComponentStatus, error) {
	pid, state, err := find(groups, p.group, filepath.Base(p.argv[0]))
	return ComponentStatus{Name: p.name, PID: pid, Running: pid != 0, Paused: state == "T", Log: p.log}, err
}

// PrintEnvironment writes the settings with which a shell uses the lab's kubeconfig and programs.
func (l *Lab) PrintEnvironment(to io.Writer) error {
	if _, err := l.read(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(to, "export LAB=%s KUBECONFIG=%s PATH=%s:$PATH LAB_ISTIO=%s\n", l.name, l.kubeconfig(), l.tools(), l.overlay())
	return err
}

// Print writes the status as a table.
func (s Status) Print(to io.Writer) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CLUSTER\tREADY\tNETWORK\tSERVER\tPODS\tLOAD BALANCERS\tNOT RUNNING")
	for _, each := range s.Clusters {
		var down []string
		for _, component := range each.Components {
			if trouble := component.trouble(); trouble != "" {
				down = append(down, component.Name+" "+trouble)
			}
		}
		ready := "yes"
		if !each.Ready {
			ready = "no"
		}
		kind := each.PodCIDR
		if each.Nodeless {
			kind = "(no node)"
		}
		pool := fmt.Sprintf("%s (%s)", each.LBPool, each.LoadBalancer)
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			each.Name, ready, each.Network, each.Server, kind, pool, cmp.Or(strings.Join(down, ", "), "-"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, each := range s.Clusters {
		if each.Lacks != "" {
			fmt.Fprintf(to, "\n%s is not ready: %s\n", each.Name, each.Lacks)
		}
	}
	for _, component := range s.Components {
		if trouble := component.trouble(); trouble != "" {
			fmt.Fprintf(to, "\nthe lab's server is %s; its log is %s\n", trouble, component.Log)
		}
	}
	_, err := fmt.Fprintf(to, "\nkubeconfig  %s\nprograms    %s (kubectl, istioctl)\nfor Istio   -f %s\n", s.Kubeconfig, s.Bin, s.IstioOverlay)
	return err
}
