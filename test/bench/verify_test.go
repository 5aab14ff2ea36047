package bench

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

const (
	verifyRounds = 9
	// manyRemotes are those of the large mesh; the primary comes on top.
	manyRemotes = 9
	// requestTimeout is what a silent API server may cost.
	requestTimeout = 2 * time.Second
)

// BenchmarkVerify measures verify without traffic on a small mesh, on a large one, and on a large one of which a cluster
// does not answer. Nobody races it: no other tool does that. Its labs are its own: the small mesh must not share the
// machine with clusters of the large one, and the large one takes some 6 GB of memory.
func BenchmarkVerify(b *testing.B) {
	if testing.Short() {
		b.Skip("needs real clusters")
	}
	for b.Loop() {
		small := verifySmall(b)
		verifyLarge(b, small)
	}
}

func verifySmall(b *testing.B) time.Duration {
	b.Helper()
	a := begin(b, 2)
	a.mesh(b, "attach-remote", "cluster2")
	runs := a.verify(b, "2 clusters", 0)
	took := runs.median()
	report(b, "s-2-clusters", took.Seconds(), result{
		"verify, 2 clusters", fmt.Sprintf("%.2f s", took.Seconds()), "at most 1.5 s", took <= 1500*time.Millisecond,
	})
	return took
}

func verifyLarge(b *testing.B, small time.Duration) {
	b.Helper()
	a := begin(b, 1+manyRemotes)
	var remotes []string
	for i := range manyRemotes {
		remotes = append(remotes, fmt.Sprint("cluster", i+2))
	}
	attached := a.mesh(b, append([]string{"attach-remote"}, remotes...)...)
	a.mustBeReady(b, remotes...)
	detail(b, "attach-remote, 9 remotes", series{attached})
	report(b, "s-attach-9", attached.took.Seconds(), result{
		what: "attach-remote, 9 bare remotes at once", measured: fmt.Sprintf("%.1f s, %d MB", attached.took.Seconds(), attached.memory/1e6),
	})

	runs := a.verify(b, "10 clusters", 0)
	took := runs.median()
	ratio := took.Seconds() / small.Seconds()
	report(b, "s-10-clusters", took.Seconds(), result{
		"verify, 10 clusters", fmt.Sprintf("%.2f s", took.Seconds()), "at most 3 s, twice the target of 2", took <= 3*time.Second,
	})
	report(b, "times-2-clusters", ratio, result{
		"verify, 10 clusters against 2", fmt.Sprintf("%.1f times as long (%.2f s, %.2f s)", ratio, took.Seconds(), small.Seconds()), "at most 2 times", ratio <= 2,
	})

	last := remotes[len(remotes)-1]
	a.Lab.Lab(b, "pause", last, "kube-apiserver")
	silent := a.verify(b, "10 clusters, one silent", 1, "--request-timeout", requestTimeout.String())
	a.Lab.Lab(b, "resume", last, "kube-apiserver")
	more := silent.median() - took
	report(b, "s-more-silent", more.Seconds(), result{
		"the same, one of them silent", fmt.Sprintf("%.2f s more (%.2f s)", more.Seconds(), silent.median().Seconds()),
		fmt.Sprintf("at most %s more, its timeout", requestTimeout), more <= requestTimeout,
	})
}

// begin makes a primary in a lab of this many clusters, which is gone when the benchmark ends.
func begin(b *testing.B, clusters int) *arena {
	b.Helper()
	labtest.Down(b)
	b.Cleanup(func() { labtest.Down(b) })
	a := enter(b, clusters)
	a.script(b, "primary", primary)
	return a
}

// verify measures as many runs as it takes, which must end with a code; the first is not counted.
func (a *arena) verify(b *testing.B, title string, code int, more ...string) series {
	b.Helper()
	args := append([]string{"verify", "--context", primary}, more...)
	var runs series
	for range 1 + verifyRounds {
		runs = append(runs, measureEnding(b, code, a.Command(b.Context(), os.Getenv("KUBECTL_MESH_BIN"), args...)))
	}
	detail(b, "verify, "+title, runs[1:])
	return runs[1:]
}
