package lab

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/util/wait"
)

// UpOptions is what a lab is asked to be.
type UpOptions struct {
	// Clusters is how many there are to be: cluster1, cluster2, and so on.
	Clusters int
	// NodelessFrom is the first cluster without a node; 0 is none, and 1 is all.
	NodelessFrom int
	// Networks are the networks of clusters, by name; network1 unless said otherwise.
	Networks map[string]string
	// AggregatorRouting are the clusters whose API servers are to call webhooks at the endpoints of their Services. Those
	// that are there already begin, or cease, to do so.
	AggregatorRouting []string
	// SharedCA are the clusters with one certificate authority. Clusters that are there keep theirs.
	SharedCA []string
}

//go:embed istio.yaml
var istioOverlay []byte

const defaultNetwork = "network1"

// Up starts the lab, or adds to it what is missing and starts anew what has died. It returns when all clusters are ready.
func (l *Lab) Up(ctx context.Context, options UpOptions) error {
	if err := options.validate(); err != nil {
		return err
	}
	if err := checkMachine(); err != nil {
		return err
	}
	groups, err := findCgroups()
	if err != nil {
		return err
	}
	made, err := build(ctx, l.say)
	if err != nil {
		return err
	}
	unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := watchers().raise(ctx); err != nil {
		return err
	}
	if err := l.install(made); err != nil {
		return fmt.Errorf("install the programs in %s: %w", l.dir(), err)
	}
	current, err := l.ensureHub(ctx, groups)
	if err != nil {
		return err
	}
	if err := l.ensureSpaces(ctx, groups, &current, options); err != nil {
		return err
	}
	if err := l.ensureServer(ctx, groups); err != nil {
		return err
	}
	clusters := l.clusters(current)
	tasks, tasksContext := errgroup.WithContext(ctx)
	tasks.SetLimit(max(2, runtime.NumCPU())) // More at once would only make each of them slower.
	for _, each := range clusters {
		tasks.Go(func() error { return l.startCluster(tasksContext, groups, each) })
	}
	if err := tasks.Wait(); err != nil {
		return err
	}
	if err := l.reload(ctx); err != nil {
		return err
	}
	l.say("lab %s is up: %d clusters", l.name, len(clusters))
	return nil
}

func (o UpOptions) validate() error {
	if o.Clusters < 1 || o.Clusters > maxNumber {
		return fmt.Errorf("a lab has 1 to %d clusters, not %d", maxNumber, o.Clusters)
	}
	for name := range o.Networks {
		if !slices.Contains(o.names(), name) {
			return fmt.Errorf("there will be no cluster %q to be on network %s: there will be %v", name, o.Networks[name], o.names())
		}
	}
	for _, name := range o.AggregatorRouting {
		if !slices.Contains(o.names(), name) {
			return fmt.Errorf("there will be no cluster %q with aggregator routing: there will be %v", name, o.names())
		}
	}
	for _, name := range o.SharedCA {
		if !slices.Contains(o.names(), name) {
			return fmt.Errorf("there will be no cluster %q to share a CA: there will be %v", name, o.names())
		}
	}
	return nil
}

// agree returns an error if a cluster that is there is not as it is asked for.
func (o UpOptions) agree(current state) error {
	for i, name := range o.names() {
		present, err := current.cluster(name)
		if err != nil {
			continue // It is yet to be made.
		}
		if network := o.Networks[name]; network != "" && network != present.Network {
			return fmt.Errorf("%s is on %s already; to move it: lab down", name, present.Network)
		}
		if o.nodeless(i) && !present.Nodeless {
			return fmt.Errorf("%s has a node already; to be without: lab down", name)
		}
		if slices.Contains(o.SharedCA, name) && !present.SharedCA {
			return fmt.Errorf("%s has a CA of its own already; to share one: lab down", name)
		}
	}
	return nil
}

// nodeless is whether the cluster at an index is to have no node.
func (o UpOptions) nodeless(index int) bool { return o.NodelessFrom > 0 && index+1 >= o.NodelessFrom }

func (o UpOptions) names() []string {
	names := make([]string, 0, o.Clusters)
	for i := range o.Clusters {
		names = append(names, fmt.Sprintf("cluster%d", i+1))
	}
	return names
}

// install puts the programs and images into the lab's folder.
func (l *Lab) install(made artifacts) error {
	for _, folder := range made.programs {
		if err := linkTree(folder, l.programs()); err != nil {
			return err
		}
	}
	// One program is all of Kubernetes. It is what it is called as, and so it shows among the machine's processes.
	for _, name := range []string{
		"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl",
	} {
		if err := linkFile(filepath.Join(l.programs(), "kube"), filepath.Join(l.programs(), name)); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(l.tools(), 0o750); err != nil {
		return err
	}
	for _, name := range []string{"kubectl", "istioctl"} {
		if err := linkFile(filepath.Join(l.programs(), name), filepath.Join(l.tools(), name)); err != nil {
			return err
		}
	}
	if err := writeFile(l.overlay(), istioOverlay, 0o644); err != nil {
		return err
	}
	return adoptImages(made.images, l.images())
}

// ensureHub makes the hub unless it is there, and returns the lab's state.
func (l *Lab) ensureHub(ctx context.Context, groups cgroups) (state, error) {
	current, err := readState(l.dir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return current, err
	}
	known := err == nil
	holder, err := l.space(hub).holder(groups)
	if err != nil {
		return current, err
	}
	if known && holder != 0 && linked(l.name) {
		return current, nil
	}
	// Without its hub a lab is nothing, whatever else is left of it.
	if err := l.endEverything(ctx, groups); err != nil {
		return current, err
	}
	if err := l.removeFolders(); err != nil {
		return current, err
	}
	if holder, err = l.space(hub).create(groups, l.holderProgram(), "nameserver 127.0.0.1\n"); err != nil {
		return current, err
	}
	number, err := connectHub(ctx, l.name, holder)
	if err != nil {
		return current, err
	}
	current = state{Number: number}
	return current, current.write(l.dir())
}

func (l *Lab) holderProgram() string { return filepath.Join(l.programs(), holderName) }

// ensureSpaces makes the spaces of the clusters that have none, and joins all of them.
func (l *Lab) ensureSpaces(ctx context.Context, groups cgroups, current *state, options UpOptions) error {
	atHub, err := l.space(hub).holder(groups)
	if err != nil {
		return err
	}
	if err := options.agree(*current); err != nil {
		return err
	}
	for i, name := range options.names() {
		if present, err := current.cluster(name); err == nil {
			if err := l.route(ctx, groups, current, present, slices.Contains(options.AggregatorRouting, name)); err != nil {
				return err
			}
			continue
		}
		network := options.Networks[name]
		number, err := takeNumber(ctx, l.name, current.Number)
		if err != nil {
			return err
		}
		if network == "" {
			network = defaultNetwork
		}
		current.Clusters = append(current.Clusters, Cluster{
			Name: name, Number: number, Network: network,
			Nodeless:          options.nodeless(i),
			AggregatorRouting: slices.Contains(options.AggregatorRouting, name),
			SharedCA:          slices.Contains(options.SharedCA, name),
			LoadBalancer:      LoadBalancerIP,
		})
		if err := current.write(l.dir()); err != nil {
			return err
		}
	}
	holders := map[string]int{}
	for _, each := range l.clusters(*current) {
		if holders[each.Name], err = l.ensureSpace(ctx, groups, atHub, each); err != nil {
			return fmt.Errorf("%s: %w", each.Name, err)
		}
	}
	if err := connectNetworks(current.Number, atHub, current.Clusters, holders); err != nil {
		return err
	}
	return writeKubeconfig(l.kubeconfig(), l.clusters(*current)...)
}

// route changes where the API server of a cluster that is there calls webhooks. One that runs is stopped for that: up
// starts what is missing.
func (l *Lab) route(ctx context.Context, groups cgroups, current *state, of *Cluster, aggregatorRouting bool) error {
	if of.AggregatorRouting == aggregatorRouting {
		return nil
	}
	of.AggregatorRouting = aggregatorRouting
	if err := current.write(l.dir()); err != nil {
		return err
	}
	server, err := l.clusterOf(*current, *of).component("kube-apiserver")
	if err != nil {
		return err
	}
	pid, _, err := find(groups, server.group, filepath.Base(server.argv[0]))
	if err != nil || pid == 0 {
		return err
	}
	return stop(ctx, pid)
}

// ensureSpace makes the space of a cluster and the files in it, unless they are there.
func (l *Lab) ensureSpace(ctx context.Context, groups cgroups, atHub int, of cluster) (holder int, err error) {
	s := l.space(of.Name)
	if holder, err = s.holder(groups); err != nil {
		return 0, err
	}
	if holder == 0 {
		// What is left in it cannot be reached any more.
		if err := s.end(ctx, groups); err != nil {
			return 0, err
		}
		if err := of.clearFolder(); err != nil {
			return 0, err
		}
		resolver := fmt.Sprintf("nameserver %s\noptions timeout:2\n", hubAddress(of.lab))
		if holder, err = s.create(groups, l.holderProgram(), resolver); err != nil {
			return 0, err
		}
	}
	if err := connectCluster(atHub, holder, of.lab, of.Cluster); err != nil {
		return 0, err
	}
	if err := makeCertificates(of.pki(), l.authorityOf(of), of.Name, servingNames(of.node(), apiServiceAddress(of.Number))); err != nil {
		return 0, err
	}
	files, err := of.configFiles()
	if err != nil {
		return 0, err
	}
	for name, content := range files {
		if err := writeFile(of.etc(name), []byte(content), 0o644); err != nil {
			return 0, err
		}
	}
	return holder, writeKubeconfig(of.kubeconfig(), of)
}

// serverProgram is the lab's server: this program, under another name.
func (l *Lab) serverProgram() program {
	return program{
		name:  "serve",
		argv:  []string{filepath.Join(l.programs(), "lab-serve"), "serve", "--lab", l.name},
		group: filepath.Join(l.group(), hub, "serve"),
		log:   filepath.Join(l.dir(), hub, "logs", "serve.log"),
	}
}

// ensureServer starts the lab's server unless it runs, or when this program has changed since.
func (l *Lab) ensureServer(ctx context.Context, groups cgroups) error {
	server := l.serverProgram()
	pid, _, err := find(groups, server.group, "lab-serve")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if same(self, server.argv[0]) && pid != 0 {
		return nil
	}
	if pid != 0 {
		if err := stop(ctx, pid); err != nil {
			return err
		}
	}
	if err := linkFile(self, server.argv[0]); err != nil {
		return err
	}
	holder, err := l.space(hub).holder(groups)
	if err != nil {
		return err
	}
	_ = os.Remove(l.controlSocket()) // It is there again when the server is ready.
	started, err := start(groups, server, enterSpace(holder))
	if err != nil {
		return err
	}
	ready := func(context.Context) (bool, error) {
		select {
		case <-started.ended:
			return false, died("the lab's server", server, started.err)
		default:
		}
		_, err := os.Stat(l.controlSocket())
		return err == nil, nil
	}
	err = wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, 30*time.Second, true, ready)
	if wait.Interrupted(err) {
		return fmt.Errorf("the lab's server does not begin: %w; its log ends:\n%s", err, tail(server.log, 10))
	}
	return err
}

// died says how a program ended, and what it said last.
func died(who string, p program, how error) error {
	ended := ""
	if how != nil {
		ended = fmt.Sprintf(" (%v)", how)
	}
	return fmt.Errorf("%s has ended%s. The last lines of %s:\n%s", who, ended, p.log, tail(p.log, 15))
}

func same(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}
