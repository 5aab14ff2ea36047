package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/test/lab"
)

// TestLab is one life of a lab, since making one for each case would take longer than all cases.
func TestLab(t *testing.T) {
	needLab(t)
	mustRun(t, "build")
	mustRun(t, "down") // There may be one of a run that was killed.
	killedUp(t)
	options := []string{"up", "--clusters", "3", "--network", "cluster2=network2", "--nodeless-from", "3"}
	mustRun(t, options...)
	t.Cleanup(func() {
		if folder := os.Getenv("LAB_TEST_LOGS"); t.Failed() && folder != "" {
			mustRun(t, "logs", "--save", folder)
		}
	})
	first := status(t)
	of := life{first}
	t.Run("it is as asked for", of.shape)
	t.Run("up again changes nothing", func(t *testing.T) {
		mustRun(t, options...)
		if again := status(t); !slices.Equal(pids(again), pids(first)) {
			t.Errorf("the processes were\n%v\nand are\n%v", pids(first), pids(again))
		}
		if _, err := run(t.Context(), "up", "--network", "cluster1=network2"); err == nil || !strings.Contains(err.Error(), "cluster1 is on network1 already") {
			t.Errorf("asked to move a cluster it says %v", err)
		}
	})
	t.Run("aggregator routing", func(t *testing.T) { aggregatorRouting(t, options) })
	t.Run("traffic", of.traffic)
	t.Run("load balancers", of.loadBalancers)
	t.Run("push", of.push)
	t.Run("logs", of.logs)
	t.Run("faults", of.faults)
	t.Run("reset", of.reset)
	t.Run("reset of a cluster that cannot be cleared", of.resetAnew)
	t.Run("down after a crash", of.crash)
}

// life is a lab as it was at first.
type life struct {
	lab.Status
}

// killedUp kills an up when it has begun to start components.
func killedUp(t *testing.T) {
	t.Helper()
	up := command(t.Context(), "up")
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a component runs", func() error {
		out, err := run(t.Context(), "status", "-o", "json")
		if err != nil {
			return err
		}
		return lacks(out, `"running": true`)
	})
	if err := up.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := up.Wait(); err == nil {
		t.Error("up was done before it was killed: the test has tested nothing")
	}
	mustRun(t, "down")
	leavesNothing(t)
}

func (s life) shape(t *testing.T) {
	for i, want := range []struct {
		network  string
		nodeless bool
	}{{"network1", false}, {"network2", false}, {"network1", true}} {
		got := s.Clusters[i]
		if got.Name != fmt.Sprint("cluster", i+1) || !got.Ready || got.Network != want.network || got.Nodeless != want.nodeless {
			t.Errorf("cluster %d is %+v; want %+v", i+1, got, want)
		}
		if nodes := mustKubectl(t, s.Status, got.Name, "get", "nodes", "-o", "name"); (nodes == "") != want.nodeless {
			t.Errorf("%s has the nodes %q", got.Name, nodes)
		}
		if version := mustKubectl(t, s.Status, got.Name, "version"); strings.Count(version, "v1.35.4") != 2 {
			t.Errorf("the versions are %s", version)
		}
	}
	env := mustRun(t, "env")
	out, err := output(exec.CommandContext(t.Context(), "sh", "-c", env+"kubectl config get-contexts -o name; istioctl version --remote=false; cat $LAB_ISTIO"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"cluster1\ncluster2\ncluster3\n", "1.29.1", "kind: IstioOperator"} {
		if err := lacks(out, want); err != nil {
			t.Errorf("in a shell with the lab's environment: %v", err)
		}
	}
}

// aggregatorRouting has an API server call webhooks at endpoints, of which an ExternalName has none, and takes that back.
func aggregatorRouting(t *testing.T, up []string) {
	t.Helper()
	for _, asked := range []bool{true, false} {
		options := slices.Clone(up)
		if asked {
			options = append(options, "--aggregator-routing", "cluster2")
		}
		mustRun(t, options...)
		now := status(t)
		if now.Clusters[1].AggregatorRouting != asked || now.Clusters[0].AggregatorRouting || !now.Clusters[1].Ready {
			t.Errorf("asked for it on cluster2 alone (%v), the clusters are %+v", asked, now.Clusters[:2])
		}
		apply(t, now, "cluster2", "webhook.yaml")
		eventually(t, "the webhook's own refusal", func() error {
			_, err := kubectl(t, now, "cluster2", "create", "configmap", "webhooked", "--dry-run=server")
			switch {
			case err == nil:
				return errors.New("it is not called yet")
			case strings.Contains(err.Error(), "unsupported service type") != asked:
				return fmt.Errorf("with aggregator routing %v: %w", asked, err)
			}
			return nil
		})
		mustKubectl(t, now, "cluster2", "delete", "-f", "testdata/webhook.yaml")
	}
}

// pids returns which processes the components are.
func pids(s lab.Status) []string {
	var of []string
	for _, component := range s.Components {
		of = append(of, fmt.Sprint("hub ", component.Name, " ", component.PID))
	}
	for _, cluster := range s.Clusters {
		for _, component := range cluster.Components {
			of = append(of, fmt.Sprint(cluster.Name, " ", component.Name, " ", component.PID))
		}
	}
	return of
}

// get gets a URL from a pod of a cluster.
func get(t *testing.T, s lab.Status, cluster, url string) (string, error) {
	t.Helper()
	return kubectl(t, s, cluster, "exec", "deploy/hello", "-c", "client", "--", "hello", "get", url)
}

func getsHello(t *testing.T, s lab.Status, cluster, host string) {
	t.Helper()
	eventually(t, "hello at "+host+" from "+cluster, func() error {
		out, err := get(t, s, cluster, "http://"+host+":5000/hello")
		if err != nil {
			return err
		}
		return lacks(out, "Hello version: v1")
	})
}

func ingress(t *testing.T, s lab.Status, cluster, field string) string {
	t.Helper()
	return mustKubectl(t, s, cluster, "get", "service", "hello", "-o", "jsonpath={.status.loadBalancer.ingress[0]."+field+"}")
}

func (s life) traffic(t *testing.T) {
	for _, cluster := range []string{"cluster1", "cluster2"} {
		apply(t, s.Status, cluster, "hello.yaml")
	}
	for _, cluster := range []string{"cluster1", "cluster2"} {
		mustKubectl(t, s.Status, cluster, "wait", "--for=condition=Available", "deploy/hello", "--timeout=2m")
		eventually(t, "an address", func() error {
			if ingress(t, s.Status, cluster, "ip") == "" {
				return fmt.Errorf("%s has given none", cluster)
			}
			return nil
		})
	}
	for _, from := range []string{"cluster1", "cluster2"} {
		for _, to := range []string{"hello", ingress(t, s.Status, "cluster1", "ip"), ingress(t, s.Status, "cluster2", "ip")} {
			getsHello(t, s.Status, from, to)
		}
	}
	// This machine is a neighbour, too.
	eventually(t, "hello from the machine", func() error {
		response, err := http.Get("http://" + ingress(t, s.Status, "cluster2", "ip") + ":5000/hello")
		if err != nil {
			return err
		}
		return response.Body.Close()
	})
	// Pods of another network are out of reach; that API server is not, which is how istiod gets at it.
	pod := mustKubectl(t, s.Status, "cluster2", "get", "pod", "-l", "app=hello", "-o", "jsonpath={.items[0].status.podIP}")
	if out, err := get(t, s.Status, "cluster1", "http://"+pod+":5000/hello"); err == nil {
		t.Errorf("a pod on another network answers %s", out)
	}
	server := strings.Replace(s.Clusters[1].Server, "https://", "http://", 1)
	if out, err := get(t, s.Status, "cluster1", server); !strings.Contains(out, "HTTP request to an HTTPS server") {
		t.Errorf("the API server of another network answers %q (%v)", out, err)
	}
}

func (s life) loadBalancers(t *testing.T) {
	address := ingress(t, s.Status, "cluster2", "ip")
	mustRun(t, "lb", "cluster2", "hostname")
	if got := ingress(t, s.Status, "cluster2", "hostname"); got != "hello.default.cluster2.lab.test" {
		t.Errorf("the name is %q", got)
	}
	getsHello(t, s.Status, "cluster1", "hello.default.cluster2.lab.test")
	getsHello(t, s.Status, "cluster2", "hello.default.cluster2.lab.test")
	mustRun(t, "lb", "cluster2", "none")
	if got := mustKubectl(t, s.Status, "cluster2", "get", "service", "hello", "-o", "jsonpath={.status.loadBalancer}"); got != "{}" {
		t.Errorf("without a load balancer the status is %s", got)
	}
	if now := status(t); now.Clusters[1].LoadBalancer != lab.LoadBalancerNone || now.Clusters[0].LoadBalancer != lab.LoadBalancerIP {
		t.Errorf("the status says %+v", now.Clusters)
	}
	mustRun(t, "lb", "cluster2", "ip")
	if got := ingress(t, s.Status, "cluster2", "ip"); got != address {
		t.Errorf("its address is %s; it was %s", got, address)
	}
	getsHello(t, s.Status, "cluster1", address)
	if _, err := run(t.Context(), "lb", "cluster2", "maybe"); err == nil {
		t.Error("a load balancer can give maybe")
	}
}

func (s life) push(t *testing.T) {
	programs := filepath.Join(s.Dir, "programs")
	mustRun(t, "push", "example.com/pushed:1="+filepath.Join(programs, "pause"), "pushed="+filepath.Join(programs, "pause"))
	for _, image := range []string{"example.com/pushed:1", "pushed"} {
		pod := "pushed-" + fmt.Sprint(len(image))
		mustKubectl(t, s.Status, "cluster1", "run", pod, "--image", image, "--image-pull-policy=Always")
		mustKubectl(t, s.Status, "cluster1", "wait", "--for=condition=Ready", "pod/"+pod, "--timeout=2m")
	}
	mustKubectl(t, s.Status, "cluster1", "run", "missing", "--image", "example.com/missing:1")
	eventually(t, "an image that nobody has pushed", func() error {
		return lacks(mustKubectl(t, s.Status, "cluster1", "get", "pod", "missing"), "ErrImagePull")
	})
	// The same name, with another program: it is pulled again, as a user's development image is.
	mustRun(t, "push", "example.com/pushed:1="+filepath.Join(programs, "hello"))
	mustKubectl(t, s.Status, "cluster1", "run", "again", "--image", "example.com/pushed:1", "--image-pull-policy=Always")
	mustKubectl(t, s.Status, "cluster1", "wait", "--for=condition=Ready", "pod/again", "--timeout=2m")
	mustKubectl(t, s.Status, "cluster1", "exec", "again", "--", "/hello", "get", "http://127.0.0.1:5000/hello")
}

func (life) logs(t *testing.T) {
	if log := mustRun(t, "logs", "cluster1", "coredns"); !strings.Contains(log, "CoreDNS-") {
		t.Errorf("CoreDNS's log is %q", log)
	}
	folder := filepath.Join(t.TempDir(), "saved")
	mustRun(t, "logs", "--save", folder)
	for _, name := range []string{"hub/serve.log", "cluster1/kubelet.log", "cluster3/etcd.log", "cluster1/pods/*hello*/hello/*.log"} {
		if found, err := filepath.Glob(filepath.Join(folder, name)); err != nil || len(found) != 1 {
			t.Errorf("of %s there are %v", name, found)
		}
	}
}

func (s life) faults(t *testing.T) {
	mustRun(t, "stop", "cluster1", "kubelet")
	now := status(t)
	if now.Clusters[0].Ready || !strings.Contains(now.Clusters[0].Lacks, "kubelet is stopped") {
		t.Errorf("without its kubelet cluster1 is %+v", now.Clusters[0])
	}
	if !now.Clusters[1].Ready {
		t.Errorf("and cluster2 is %+v", now.Clusters[1])
	}
	// A component that cannot start is named, with what it says.
	config := filepath.Join(s.Dir, "cluster1", "etc", "kubelet.yaml")
	if err := os.WriteFile(config, []byte("kind: Nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := run(t.Context(), "start", "cluster1", "kubelet")
	if err == nil {
		t.Fatal("a kubelet with a broken configuration starts")
	}
	for _, want := range []string{"cluster1: kubelet has ended (exit status 1)", "cluster1/logs/kubelet.log", "Nonsense"} {
		if err := lacks(err.Error(), want); err != nil {
			t.Error(err)
		}
	}
	mustRun(t, "up", "--clusters", "3") // It fixes that.

	mustRun(t, "pause", "cluster2", "kube-apiserver")
	if out, err := kubectl(t, s.Status, "cluster2", "get", "ns", "--request-timeout=1s"); err == nil {
		t.Errorf("a paused API server answers %s", out)
	}
	if now := status(t); !strings.Contains(now.Clusters[1].Lacks, "kube-apiserver is paused") {
		t.Errorf("it is said that %q", now.Clusters[1].Lacks)
	}
	mustRun(t, "resume", "cluster2", "kube-apiserver")
	mustKubectl(t, s.Status, "cluster2", "get", "ns")

	mustRun(t, "cpu", "cluster2", "0.25")
	if limit := processorsOf(t, status(t).Clusters[1]); limit != "25000" {
		t.Errorf("held to a quarter of a processor cluster2's quota is %s", limit)
	}
	mustKubectl(t, s.Status, "cluster2", "get", "ns")
	mustRun(t, "cpu", "cluster2", "0")
	if limit := processorsOf(t, status(t).Clusters[1]); limit != "-1" && limit != "max" {
		t.Errorf("no longer held, cluster2's quota is %s", limit)
	}

	for _, component := range []string{"etcd", "kube-apiserver"} {
		mustRun(t, "stop", "cluster2", component)
		mustRun(t, "start", "cluster2", component)
		mustKubectl(t, s.Status, "cluster2", "get", "ns")
	}
	mustRun(t, "stop", "hub", "serve")
	if _, err := run(t.Context(), "lb", "cluster1", "hostname"); err == nil || !strings.Contains(err.Error(), "lab up") {
		t.Errorf("without the lab's server: %v; want an error that says what to do", err)
	}
	mustRun(t, "start", "hub", "serve")
	if _, err := run(t.Context(), "stop", "cluster3", "kubelet"); err == nil || !strings.Contains(err.Error(), "it has etcd, ") {
		t.Errorf("what is not there: %v; want an error that says what is", err)
	}
}

// processorsOf returns the kernel's word for how long in a tenth of a second the cluster of an API server may run.
func processorsOf(t *testing.T, cluster lab.ClusterStatus) string {
	t.Helper()
	i := slices.IndexFunc(cluster.Components, func(c lab.ComponentStatus) bool { return c.Name == "kube-apiserver" })
	member, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", cluster.Components[i].PID))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(member)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		for controller, setting := range map[string]string{"cpu": "cpu/%s/cpu.cfs_quota_us", "": "%s/cpu.max"} {
			limit, err := os.ReadFile("/sys/fs/cgroup/" + fmt.Sprintf(setting, filepath.Dir(fields[2])))
			if slices.Contains(strings.Split(fields[1], ","), controller) && err == nil {
				quota, _, _ := strings.Cut(strings.TrimSpace(string(limit)), " ")
				return quota
			}
		}
	}
	t.Fatalf("no limit is found for\n%s", member)
	return ""
}

// contents returns all objects of a cluster that stay, with their labels.
func contents(t *testing.T, s lab.Status, cluster string) []string {
	t.Helper()
	kinds := "namespaces,configmaps,secrets,serviceaccounts,services,pods,deployments,replicasets,clusterroles,clusterrolebindings," +
		"customresourcedefinitions,apiservices,validatingwebhookconfigurations,mutatingwebhookconfigurations"
	var list struct {
		Items []struct {
			Kind     string
			Metadata struct {
				Namespace, Name string
				Labels          map[string]string
			}
			Rules any
		}
	}
	if err := json.Unmarshal([]byte(mustKubectl(t, s, cluster, "get", kinds, "-A", "-o", "json")), &list); err != nil {
		t.Fatal(err)
	}
	all := make([]string, 0, len(list.Items))
	for _, each := range list.Items {
		all = append(all, fmt.Sprint(each.Kind, " ", each.Metadata.Namespace, "/", each.Metadata.Name, " ", each.Metadata.Labels, " ", each.Rules))
	}
	slices.Sort(all)
	return all
}

func (s life) reset(t *testing.T) {
	before := status(t)
	mustRun(t, "reset")
	mustRun(t, "lb", "cluster3", "none")
	want := map[string][]string{}
	for _, cluster := range []string{"cluster1", "cluster2", "cluster3"} {
		want[cluster] = contents(t, s.Status, cluster)
		if slices.ContainsFunc(want[cluster], func(of string) bool { return strings.HasPrefix(of, "Pod ") }) {
			t.Errorf("%s still has pods: %v", cluster, want[cluster])
		}
		mess(t, s.Status, cluster)
	}
	mustRun(t, "reset")
	for cluster, first := range want {
		if got := contents(t, s.Status, cluster); !slices.Equal(got, first) {
			t.Errorf("%s has\n%s\nand had\n%s", cluster, strings.Join(got, "\n"), strings.Join(first, "\n"))
		}
	}
	now := status(t)
	if now.Clusters[2].LoadBalancer != lab.LoadBalancerIP {
		t.Errorf("the load balancer gives %s", now.Clusters[2].LoadBalancer)
	}
	if got, want := pids(now), pids(before); !slices.Equal(got, want) {
		t.Errorf("the processes were\n%v\nand are\n%v: the clusters were made anew", want, got)
	}
}

// mess leaves what does not go easily.
func mess(t *testing.T, s lab.Status, cluster string) {
	t.Helper()
	apply(t, s, cluster, "mess.yaml")
	apply(t, s, cluster, "hello.yaml", "--namespace", "one")
	mustKubectl(t, s, cluster, "wait", "--for=condition=Established", "crd/widgets.lab.test", "--timeout=1m")
	widget := `{"apiVersion":"lab.test/v1","kind":"Widget","metadata":{"name":"w","namespace":"two","finalizers":["lab.test/never"]}}`
	if _, err := kubectlWith(t, widget, s, cluster, "create", "-f", "-"); err != nil {
		t.Fatal(err)
	}
	mustKubectl(t, s, cluster, "label", "namespace", "default", "istio-injection=enabled")
	mustKubectl(t, s, cluster, "delete", "clusterrole", "edit")
	mustKubectl(t, s, cluster, "patch", "clusterrole", "cluster-admin", "--type=merge", "-p", `{"metadata":{"labels":{"a":"b"}}}`)
	mustKubectl(t, s, cluster, "delete", "namespace", "two", "--wait=false") // It will not end by itself.
	apply(t, s, cluster, "gate.yaml")
}

func (s life) resetAnew(t *testing.T) {
	before := status(t)
	mustKubectl(t, s.Status, "cluster3", "create", "namespace", "left")
	if err := os.Remove(filepath.Join(s.Dir, "cluster3", "baseline.json")); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "reset", "cluster3") // It does not know what to delete.
	if out, err := kubectl(t, s.Status, "cluster3", "get", "namespace", "left"); err == nil {
		t.Errorf("it still has %s", out)
	}
	mustRun(t, "reset", "--fresh", "cluster2")
	after := status(t)
	for i, anew := range []bool{false, true, true} {
		if !after.Clusters[i].Ready || (before.Clusters[i].Components[0].PID != after.Clusters[i].Components[0].PID) != anew {
			t.Errorf("cluster%d was made anew: %v; want %v", i+1, !anew, anew)
		}
	}
	// The others find a cluster made anew where it was.
	for _, cluster := range []string{"cluster1", "cluster2"} {
		apply(t, s.Status, cluster, "hello.yaml")
	}
	for _, cluster := range []string{"cluster1", "cluster2"} {
		mustKubectl(t, s.Status, cluster, "wait", "--for=condition=Available", "deploy/hello", "--timeout=2m")
	}
	getsHello(t, s.Status, "cluster1", ingress(t, s.Status, "cluster2", "ip"))
	getsHello(t, s.Status, "cluster2", ingress(t, s.Status, "cluster1", "ip"))
}

// crash ends every process of the lab at once, its pods' as well.
func (s life) crash(t *testing.T) {
	own := processes(t)
	if len(own) < 20 {
		t.Errorf("the lab has only %d processes: the test looks in the wrong place", len(own))
	}
	if found := linksAndRoutes(t); len(found) != 1+1+2*3 {
		t.Errorf("the machine has these links and routes of the lab: %v; want a link, a route to the nodes, and two to each cluster", found)
	}
	for _, pid := range own {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
	now := status(t)
	for _, cluster := range now.Clusters {
		if cluster.Ready {
			t.Errorf("%s is ready, with all its processes killed", cluster.Name)
		}
	}
	for _, args := range [][]string{{"start", "cluster1", "etcd"}, {"reset"}} {
		if _, err := run(t.Context(), args...); err == nil || !strings.Contains(err.Error(), "lab up") {
			t.Errorf("%v: %v; want an error that says what to do", args, err)
		}
	}
	mustRun(t, "down")
	leavesNothing(t)
	mustRun(t, "down") // There is nothing to end, and that is fine.
	if _, err := run(t.Context(), "status"); err == nil || !strings.Contains(err.Error(), "lab up --lab labtest") {
		t.Errorf("without a lab its status is %v; want an error that says what to do", err)
	}
	if _, err := os.Stat(s.Dir); err == nil {
		t.Errorf("%s is there again", s.Dir)
	}

	tests := []string{"--lab", name + "--package"} // as packages' tests name theirs
	mustRun(t, append([]string{"up", "--clusters", "1", "--nodeless"}, tests...)...)
	mustRun(t, "down")
	if _, err := run(t.Context(), append([]string{"status"}, tests...)...); err == nil || !strings.Contains(err.Error(), "there is no lab") {
		t.Errorf("the lab of a package's tests has the status %v after all went down; want none", err)
	}
}

// processes returns those in the cgroups of the lab.
func processes(t *testing.T) []int {
	t.Helper()
	var found []int
	for _, group := range cgroups(t) {
		raw, err := os.ReadFile(filepath.Join(group, "cgroup.procs"))
		if err != nil {
			continue // It has just gone.
		}
		for line := range strings.FieldsSeq(string(raw)) {
			var pid int
			if _, err := fmt.Sscan(line, &pid); err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(found, pid) { // Version 1 has a tree for each controller.
				found = append(found, pid)
			}
		}
	}
	return found
}

func cgroups(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && strings.Contains(path+"/", "/kmlab/"+name+"/") {
			found = append(found, path)
		}
		return nil // What goes while we look is not there.
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// leavesNothing looks for all that a lab is made of.
func leavesNothing(t *testing.T) {
	t.Helper()
	const dir = "/var/cache/kubectl-mesh-lab/" + name
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s is left", dir)
	}
	if left := cgroups(t); len(left) > 0 {
		t.Errorf("these cgroups are left: %v", left)
	}
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range commands {
		if raw, err := os.ReadFile(path); err == nil && strings.Contains(string(raw), dir+"/") {
			t.Errorf("a process is left: %s", strings.ReplaceAll(string(raw), "\x00", " "))
		}
	}
	for _, path := range []string{"/proc/self/mountinfo", "/proc/net/unix"} {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), dir+"/") {
			t.Errorf("%s names %s:\n%s", path, dir, raw)
		}
	}
	if left := linksAndRoutes(t); len(left) > 0 {
		t.Errorf("these links and routes are left:\n%s", strings.Join(left, "\n"))
	}
}

// linksAndRoutes returns those of the lab in the machine's own namespace.
func linksAndRoutes(t *testing.T) []string {
	t.Helper()
	link := fmt.Sprintf("kmlab-%x", sha256.Sum256([]byte(name)))[:14]
	var found []string
	for _, what := range []string{"link", "route"} {
		out, err := output(exec.CommandContext(t.Context(), "ip", "-o", what))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out) {
			if strings.Contains(line, link) {
				found = append(found, line)
			}
		}
	}
	return found
}
