package lab

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func exampleCluster(dir string) cluster {
	return cluster{
		Cluster: Cluster{Name: "cluster1", Number: 4, Network: "network1", LoadBalancer: LoadBalancerIP},
		lab:     2, labName: "example", dir: dir + "/cluster1", bin: dir + "/programs",
		machine: machine{containerd: "/usr/bin/containerd", cni: "/usr/lib/cni"},
	}
}

// golden compares a text with a file. UPDATE_GOLDEN=1 writes the file instead.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got what is not in %s (UPDATE_GOLDEN=1 accepts it):\n%s", path, got)
	}
}

func TestComponentsAndTheirFiles(t *testing.T) {
	c := exampleCluster("/labs/example")
	var text strings.Builder
	for _, each := range c.components() {
		fmt.Fprintf(&text, "# %s (cgroup %s, log %s, asked at %q)\n%s\n\n",
			each.name, each.group, each.log, each.health, strings.Join(each.argv, "\n  "))
	}
	files, err := c.configFiles()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&text, "# %s\n%s\n", name, files[name])
	}
	golden(t, "cluster.golden", text.String())
}

func TestNodelessClusterRunsNothingOfANode(t *testing.T) {
	c := exampleCluster("/labs/example")
	c.Nodeless = true
	var names []string
	for _, each := range c.components() {
		names = append(names, each.name)
	}
	if want := []string{"etcd", "kube-apiserver", "kube-controller-manager"}; !slices.Equal(names, want) {
		t.Errorf("a nodeless cluster runs %v; want %v", names, want)
	}
	if _, err := c.component("kubelet"); err == nil || !strings.Contains(err.Error(), "kube-controller-manager") {
		t.Errorf("asked for its kubelet it says %v; want an error that says what there is", err)
	}
}

func TestAggregatorRouting(t *testing.T) {
	const flag = "--enable-aggregator-routing=true"
	for _, test := range []struct{ nodeless, asked, want bool }{{false, false, false}, {false, true, true}, {true, false, true}} {
		c := exampleCluster("/labs/example")
		c.Nodeless, c.AggregatorRouting = test.nodeless, test.asked
		if got := slices.Contains(c.apiServer(), flag); got != test.want {
			t.Errorf("nodeless %v, asked for %v: the API server runs with %s: %v", test.nodeless, test.asked, flag, got)
		}
	}
}

func TestMasqueradeSparesTheOwnNetwork(t *testing.T) {
	all := []Cluster{
		{Name: "cluster1", Number: 1, Network: "network1"},
		{Name: "cluster2", Number: 2, Network: "network2"},
		{Name: "cluster3", Number: 3, Network: "network1"},
	}
	for i, want := range []string{
		"ip saddr 10.129.0.0/16 ip daddr != { 10.129.0.0/16, 10.131.0.0/16 } masquerade",
		"ip saddr 10.130.0.0/16 ip daddr != { 10.130.0.0/16 } masquerade",
	} {
		if rules := masqueradeRules(all[i], all); !strings.Contains(rules, want) {
			t.Errorf("%s: the rules lack %q:\n%s", all[i].Name, want, rules)
		}
	}
}
