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
	// tells is all that verify may find wrong, as STATUS ID CLUSTER; the first is the one whose fix is used.
	tells []string
	// asks are further arguments of verify.
	asks []string
	// once is true where the asks are themselves what is wrong: verify is asked without them afterwards.
	once bool
	// breaks does the damage.
	breaks does
	// byHand says why the printed fix can't be run as it is; mends is then what the reader of it does.
	byHand string
	mends  does
	// tidies takes away what a fix must leave, such as the break's own tools.
	tidies does
}

// does is something that is done to a mesh.
type does func(t *testing.T, b *bed)

// inject breaks the mesh, and sees that it is named and mended.
func (b *bed) inject(t *testing.T, f fault) {
	t.Helper()
	f.breaks(t, b)
	v := b.await(t, f.tells, f.asks...)
	i := slices.IndexFunc(v.results, func(r result) bool { return r.String() == f.tells[0] })
	t.Logf("%s\n%s", v.results[i].Seen, report.Fix(v.results[i].Fix, ""))
	if f.byHand == "" {
		fix := v.results[i].Fix.Shell()
		if fix == "" {
			t.Fatalf("%s\nhas no fix that runs as it is", v.text())
		}
		if r := b.shell(t, fix); r.Code != 0 {
			t.Fatalf("%s\nThe fix, %s, ended with %d:\n%s%s", v.text(), fix, r.Code, r.Stdout, r.Stderr)
		}
	} else {
		f.mends(t, b)
	}
	if f.tidies != nil {
		f.tidies(t, b)
	}
	if f.once {
		f.asks = nil
	}
	b.await(t, nil, f.asks...)
}

// injectAll breaks the mesh in one way after the other.
func (b *bed) injectAll(t *testing.T, group string, faults []fault) {
	t.Helper()
	t.Run(group, func(t *testing.T) {
		for _, f := range faults {
			if !t.Run(f.name, func(t *testing.T) { b.inject(t, f) }) {
				b.remake(t)
			}
		}
	})
}

// Each fault is named, alone, and mended by what is printed; a mesh without one is left in peace. All share one mesh,
// which grows on the way.
func TestFaults(t *testing.T) {
	b := newBed(t, labtest.Options{Clusters: 2})
	b.injectAll(t, "beginnings", beginnings())

	b.attach(t, remote)
	b.remotes = []string{remote}
	t.Run("healthy", func(t *testing.T) { b.staysHealthy(t) })
	b.injectAll(t, "clusters", clusterFaults())
	b.injectAll(t, "control-plane", controlPlaneFaults())
	b.injectAll(t, "gateway", gatewayFaults())
	b.injectAll(t, "credentials", credentialFaults())
	b.injectAll(t, "injection", injectionFaults())
	b.injectAll(t, "network", networkFaults())
	b.injectAll(t, "late", lateFaults())
	b.injectAll(t, "trust", trustFaults())
	b.injectAll(t, "proxies", proxyFaults())
	b.injectAll(t, "traffic", trafficFaults())

	b.Lab.Lab(t, "up", "--clusters", "4", "--nodeless-from", "3", "--network", "cluster4=network2")
	b.attach(t, "cluster3")
	b.remotes = append(b.remotes, "cluster3")
	t.Run("healthy with several remotes", func(t *testing.T) { b.staysHealthy(t) })
	b.attach(t, "cluster4", "--network", "network2")
	b.remotes = append(b.remotes, "cluster4")
	t.Run("healthy on several networks", func(t *testing.T) { b.staysHealthy(t) })
}

// kubectl is what one command does to Istio's namespace of a cluster.
func kubectl(cluster string, args ...string) does {
	return func(t *testing.T, b *bed) {
		t.Helper()
		b.kubectl(t, cluster, args...)
	}
}

// create is what objects of YAML do to a cluster.
func create(cluster, yaml string) does {
	return func(t *testing.T, b *bed) {
		t.Helper()
		b.create(t, cluster, yaml)
	}
}

// lab is what one command of the lab's does.
func lab(args ...string) does {
	return func(t *testing.T, b *bed) {
		t.Helper()
		b.Lab.Lab(t, args...)
	}
}

// all does one thing after the other.
func all(things ...does) does {
	return func(t *testing.T, b *bed) {
		t.Helper()
		for _, do := range things {
			do(t, b)
		}
	}
}
