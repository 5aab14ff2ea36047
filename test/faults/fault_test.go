package faults

import (
	"slices"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// fault is one thing wrong with a healthy mesh.
type fault struct {
	name string
	// reports is all that verify may find wrong, as STATUS ID CLUSTER; the first is the one whose fix is used.
	reports []string
	// asks are further arguments of verify.
	asks []string
	// once is true where the asks are themselves what is wrong: verify is asked without them afterwards.
	once bool
	// breaks makes the fault.
	breaks action
	// byHand says why the printed fix can't be run as it is; fixes is then what the reader of it does.
	byHand string
	fixes  action
	// tidies takes away what a fix must leave, such as the break's own tools.
	tidies action
}

// action is something that is done to a mesh.
type action func(t *testing.T, m *testMesh)

// inject breaks the mesh, and sees that it is named and fixed.
func (m *testMesh) inject(t *testing.T, f fault) {
	t.Helper()
	f.breaks(t, m)
	v := m.await(t, f.reports, f.asks...)
	i := slices.IndexFunc(v.results, func(r result) bool { return r.String() == f.reports[0] })
	t.Logf("%s\n%s", v.results[i].Seen, report.Fix(v.results[i].Fix, ""))
	if f.byHand == "" {
		fix := v.results[i].Fix.Shell()
		if fix == "" {
			t.Fatalf("%s\nhas no fix that runs as it is", v.text())
		}
		if r := m.shell(t, fix); r.Code != 0 {
			t.Fatalf("%s\nThe fix, %s, ended with %d:\n%s%s", v.text(), fix, r.Code, r.Stdout, r.Stderr)
		}
	} else {
		f.fixes(t, m)
	}
	if f.tidies != nil {
		f.tidies(t, m)
	}
	if f.once {
		f.asks = nil
	}
	m.await(t, nil, f.asks...)
}

// injectAll breaks the mesh in one way after the other.
func (m *testMesh) injectAll(t *testing.T, faults []fault) {
	t.Helper()
	for _, f := range faults {
		if !t.Run(f.name, func(t *testing.T) { m.inject(t, f) }) {
			m.remake(t)
		}
	}
}

// groups are faults of a mesh of two clusters. The longest come first.
func groups() []group {
	return []group{
		{"traffic", trafficFaults()},
		{"credentials", credentialFaults()},
		{"clusters", slices.Concat(clusterFaults(), networkFaults())},
		{"control-plane", controlPlaneFaults()},
		{"injection", injectionFaults()},
		{"gateway", gatewayFaults()},
		{"proxies", slices.Concat(proxyFaults(), trustFaults())},
		{"late", lateFaults()},
	}
}

// group is faults that follow one another in one mesh.
type group struct {
	name   string
	faults []fault
}

// Each fault is named, alone, and fixed by what is printed. Each group has a mesh of its own, beside the others.
func TestFaults(t *testing.T) {
	t.Run("beginnings", func(t *testing.T) { // before there is a mesh
		m := newTestMesh(t, labtest.Options{Clusters: 2})
		m.injectAll(t, beginnings())
	})
	for _, g := range groups() {
		t.Run(g.name, func(t *testing.T) {
			m := newTestMesh(t, labtest.Options{Clusters: 2})
			m.install(t)
			m.attach(t, remote)
			m.remotes = []string{remote}
			m.injectAll(t, g.faults)
		})
	}
}

// A mesh without a fault is left in peace, as it grows.
func TestHealthy(t *testing.T) {
	m := newTestMesh(t, labtest.Options{Clusters: 4, NodelessFrom: 3, Networks: map[string]string{"cluster4": "network2"}})
	m.install(t)
	for _, next := range []struct{ name, attach string }{{"one remote", remote}, {"several remotes", "cluster3"}} {
		m.attach(t, next.attach)
		m.remotes = append(m.remotes, next.attach)
		t.Run(next.name, func(t *testing.T) { m.staysHealthy(t) })
	}
	m.attach(t, "cluster4", "--network", "network2", "--allow-unconnected-network")
	m.remotes = append(m.remotes, "cluster4")
	connectNetworks("cluster4")(t, m)
	t.Run("several networks", func(t *testing.T) { m.staysHealthy(t) })
}

// kubectl is what one command does to Istio's namespace of a cluster.
func kubectl(cluster string, args ...string) action {
	return func(t *testing.T, m *testMesh) {
		t.Helper()
		m.kubectl(t, cluster, args...)
	}
}

// create is what objects of YAML do to a cluster.
func create(cluster, yaml string) action {
	return func(t *testing.T, m *testMesh) {
		t.Helper()
		m.create(t, cluster, yaml)
	}
}

// lab is what one command of the lab's does.
func lab(args ...string) action {
	return func(t *testing.T, m *testMesh) {
		t.Helper()
		m.Lab.Lab(t, args...)
	}
}

// all does actions one after the other.
func all(things ...action) action {
	return func(t *testing.T, m *testMesh) {
		t.Helper()
		for _, do := range things {
			do(t, m)
		}
	}
}
