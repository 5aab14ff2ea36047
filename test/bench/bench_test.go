package bench

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

const primary = "cluster1"

// How often each contestant runs. The first of a pair changes from round to round.
const (
	rounds      = 5
	wholeRounds = 3
	startRounds = 40
)

// results are what the table at the end says, and details where the time went. Go itself cuts a benchmark's log short.
var (
	results []result
	details strings.Builder
)

func TestMain(m *testing.M) {
	code := labtest.Main(m)
	fmt.Print(details.String())
	printTable(os.Stdout, results)
	os.Exit(code)
}

// arena is a lab, and what the script needs there.
type arena struct {
	*labtest.Lab
	samples string
}

// enter gives a primary cluster that can run pods, and remotes that can't: what is measured runs none in them.
func enter(b *testing.B, clusters int) *arena {
	b.Helper()
	a := &arena{Lab: labtest.Use(b, labtest.Options{Clusters: clusters, NodelessFrom: 2})}
	r := labtest.Finish(b, exec.CommandContext(b.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio"))
	if r.Code != 0 {
		b.Fatalf("where is Istio's module? %s", r.Stderr)
	}
	a.samples = filepath.Join(strings.TrimSpace(r.Stdout), "samples", "multicluster")
	return a
}

// measure runs a program, which must succeed. The kernel counts this process's own memory at the time of the fork into the
// child's peak, so this package must stay small: it imports no Kubernetes client.
func measure(b *testing.B, command *exec.Cmd) run {
	b.Helper()
	return measureEnding(b, 0, command)
}

// measureEnding runs a program that must end with a code.
func measureEnding(b *testing.B, code int, command *exec.Cmd) run {
	b.Helper()
	var stderr bytes.Buffer
	command.Stderr = &stderr
	begun := time.Now()
	err := command.Run()
	took := time.Since(begun)
	state := command.ProcessState
	if state == nil || state.ExitCode() != code {
		b.Fatalf("%s: %v\n%s", command, err, stderr.String())
	}
	r := run{took: took, cpu: state.UserTime() + state.SystemTime(), steps: stepsOf(stderr.String())}
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		r.memory = usage.Maxrss * 1024
	}
	return r
}

// then adds up runs one after the other.
func then(runs ...run) run {
	var sum run
	for _, r := range runs {
		sum.took += r.took
		sum.cpu += r.cpu
		sum.memory = max(sum.memory, r.memory)
		sum.steps = append(sum.steps, r.steps...)
	}
	return sum
}

// script runs a part of the guide.
func (a *arena) script(b *testing.B, part ...string) run {
	b.Helper()
	command := a.Command(b.Context(), "/bin/bash", append([]string{"guide.sh"}, part...)...)
	command.Env = append(command.Env, "SAMPLES="+a.samples, "OVERLAY="+a.Overlay)
	return measure(b, command)
}

// mesh runs a command of kubectl-mesh.
func (a *arena) mesh(b *testing.B, args ...string) run {
	b.Helper()
	return measure(b, a.Command(b.Context(), os.Getenv("KUBECTL_MESH_BIN"), append(append(args, "--context", primary), a.Needs(args[0])...)...))
}

// mustBeReady holds both contestants to one meaning of done: istiod says synced, the webhooks have its certificate, and a
// pod gets a sidecar that knows its cluster.
func (a *arena) mustBeReady(b *testing.B, remotes ...string) {
	b.Helper()
	known := a.Run(b, "istioctl", "remote-clusters", "--context", primary).Stdout
	for _, remote := range remotes {
		var status string
		for line := range strings.Lines(known) {
			if fields := strings.Fields(line); len(fields) > 2 && fields[0] == remote {
				status = fields[2]
			}
		}
		certificates := a.Kubectl(b, remote, "get", "mutatingwebhookconfigurations", "-l", "app=sidecar-injector",
			"-o", `jsonpath={range .items[*]}[{.webhooks[0].clientConfig.caBundle}]{end}`)
		pod := a.Kubectl(b, remote, "-n", "default", "run", "probe", "--image", "none.invalid/probe", "--dry-run=server",
			"--labels", "sidecar.istio.io/inject=true",
			"-o", `jsonpath={..env[?(@.name=="ISTIO_META_CLUSTER_ID")].value}`)
		if status != "synced" || certificates == "" || strings.Contains(certificates, "[]") || !strings.Contains(pod, remote) {
			b.Fatalf("%s is not ready: istiod says %q, the webhooks' certificates are %.40q, a sidecar's cluster is %q",
				remote, status, certificates, pod)
		}
	}
}

// makeBare takes remotes back to what they were before they were attached.
func (a *arena) makeBare(b *testing.B, remotes ...string) {
	b.Helper()
	a.Kubectl(b, primary, "-n", "istio-system", "delete", "secret", "-l", "istio/multiCluster=true")
	for { // istiod has no word for a cluster that is gone but its absence
		known := a.Run(b, "istioctl", "remote-clusters", "--context", primary)
		if known.Code == 0 && !strings.Contains(known.Stdout, "istio-remote-secret-") {
			break
		}
		if b.Context().Err() != nil {
			b.Fatal(b.Context().Err())
		}
	}
	a.Lab.Lab(b, append([]string{"reset"}, remotes...)...)
}

// race lets two contestants run in turns.
func race(count int, first, second func() run) (firsts, seconds series) {
	for round := range count {
		if round%2 == 0 {
			firsts = append(firsts, first())
			seconds = append(seconds, second())
		} else {
			seconds = append(seconds, second())
			firsts = append(firsts, first())
		}
	}
	return firsts, seconds
}

// detail keeps the runs of a contestant for the end.
func detail(b *testing.B, contestant string, runs series) {
	b.Helper()
	fmt.Fprintf(&details, "\n%s, %s:%s", b.Name(), contestant, runs)
}

// report puts the measure into Go's own line and into the table at the end.
func report(b *testing.B, metric string, value float64, r result) {
	b.Helper()
	b.ReportMetric(0, "ns/op") // of a whole race: says nothing
	b.ReportMetric(value, metric)
	results = append(results, r)
}

// BenchmarkAttachOne races attach-remote against the guide's steps for one remote.
func BenchmarkAttachOne(b *testing.B) {
	a := enter(b, 2)
	a.script(b, "primary", primary)
	const remote = "cluster2"
	for b.Loop() {
		script, mesh := race(rounds,
			func() run { return a.attach(b, func() run { return a.script(b, "remote", primary, remote) }, remote) },
			func() run { return a.attach(b, func() run { return a.mesh(b, "attach-remote", remote) }, remote) })
		detail(b, "the guide's script", script)
		detail(b, "attach-remote", mesh)
		ratio := script.median().Seconds() / mesh.median().Seconds()
		report(b, "times-faster", ratio, result{
			"attach-remote against the guide's script", fmt.Sprintf("%.1f times faster (%.2f s, %.2f s)", ratio, mesh.median().Seconds(), script.median().Seconds()),
			"3 times", ratio >= 3,
		})
		megabytes := float64(mesh.memory()) / 1e6
		report(b, "MB-peak", megabytes, result{
			"peak memory of attach-remote", fmt.Sprintf("%.0f MB (the script's istioctl %.0f MB)", megabytes, float64(script.memory())/1e6), "at most 150 MB", megabytes <= 150,
		})
	}
}

// attach measures one way to attach remotes that are bare before and ready after.
func (a *arena) attach(b *testing.B, way func() run, remotes ...string) run {
	b.Helper()
	a.makeBare(b, remotes...)
	r := way()
	a.mustBeReady(b, remotes...)
	return r
}

// BenchmarkAttachFour compares four remotes at once with one: on bare remotes and on those that have Istio's CRDs already,
// whose API servers share this machine's processors with each other and with the plugin; and on remotes that are held to a
// share of their own each, alone or together, as clusters are whose machines are their own.
func BenchmarkAttachFour(b *testing.B) {
	for _, variant := range []struct {
		title    string
		withCRDs bool
		share    string
	}{
		{title: "bare"}, {title: "with CRDs", withCRDs: true}, {title: "processors of their own", share: "0.25"},
	} {
		b.Run(variant.title, func(b *testing.B) {
			a := enter(b, 5)
			a.script(b, "primary", primary)
			all := []string{"cluster2", "cluster3", "cluster4", "cluster5"}
			attach := func(remotes ...string) func() run {
				return func() run {
					a.makeBare(b, all...)
					if variant.withCRDs {
						a.addCRDs(b, remotes...)
					}
					a.share(b, variant.share, all...)
					r := a.mesh(b, append([]string{"attach-remote"}, remotes...)...)
					a.share(b, "", all...)
					a.mustBeReady(b, remotes...)
					return r
				}
			}
			for b.Loop() {
				ones, fours := race(rounds, attach(all[0]), attach(all...))
				detail(b, "one", ones)
				detail(b, "four", fours)
				ratio := fours.median().Seconds() / ones.median().Seconds()
				report(b, "times-one", ratio, result{
					"four remotes at once against one, " + variant.title,
					fmt.Sprintf("%.1f times as long (%.2f s, %.2f s)", ratio, fours.median().Seconds(), ones.median().Seconds()),
					"at most 2 times", ratio <= 2,
				})
			}
		})
	}
}

// share holds clusters to so many processors each; empty takes that back.
func (a *arena) share(b *testing.B, processors string, clusters ...string) {
	b.Helper()
	for _, cluster := range clusters {
		a.Lab.Lab(b, "cpu", cluster, cmp.Or(processors, "0"))
	}
}

// addCRDs gives remotes Istio's CRDs, as a mesh that was there before leaves them.
func (a *arena) addCRDs(b *testing.B, remotes ...string) {
	b.Helper()
	file := filepath.Join(a.samples, "..", "..", "manifests", "charts", "base", "files", "crd-all.gen.yaml")
	for _, remote := range remotes {
		a.Kubectl(b, remote, "apply", "--server-side", "-f", file)
		a.Kubectl(b, remote, "wait", "--for", "condition=established", "--timeout", "1m", "crd", "--all")
	}
}

// BenchmarkWholeFlow races all three commands against the whole guide, on bare clusters.
func BenchmarkWholeFlow(b *testing.B) {
	a := enter(b, 2)
	const remote = "cluster2"
	whole := func(flow func() run) func() run {
		return func() run {
			a.Lab.Lab(b, "reset")
			r := flow()
			a.mustBeReady(b, remote)
			return r
		}
	}
	guide := whole(func() run { return then(a.script(b, "primary", primary), a.script(b, "remote", primary, remote)) })
	ours := whole(func() run {
		return then(a.mesh(b, "install-primary", "--network", "network1"), a.mesh(b, "expose-istiod"), a.mesh(b, "attach-remote", remote))
	})
	guide() // the images come into the node, for both
	for b.Loop() {
		script, mesh := race(wholeRounds, guide, ours)
		detail(b, "the guide's script", script)
		detail(b, "kubectl-mesh", mesh)
		ratio := script.median().Seconds() / mesh.median().Seconds()
		report(b, "times-faster", ratio, result{
			"the whole flow against the guide's script", fmt.Sprintf("%.1f times faster (%.2f s, %.2f s)", ratio, mesh.median().Seconds(), script.median().Seconds()),
			"faster", ratio > 1,
		})
	}
}

// BenchmarkStart races the CPU that it takes to begin: before the help is shown, and at each TAB.
func BenchmarkStart(b *testing.B) {
	a := enter(b, 2)
	for _, start := range []struct {
		title string
		args  []string
	}{{"--help", []string{"--help"}}, {"completion of a command", []string{"__complete", ""}}} {
		b.Run(start.title, func(b *testing.B) {
			begin := func(program string) func() run {
				return func() run { return measure(b, a.Command(b.Context(), program, start.args...)) }
			}
			istioctl, mesh := begin("istioctl"), begin(os.Getenv("KUBECTL_MESH_BIN"))
			istioctl() // both programs come into the page cache
			mesh()
			for b.Loop() {
				theirs, ours := race(startRounds, istioctl, mesh)
				ratio := ours.cpu().Seconds() / theirs.cpu().Seconds()
				report(b, "times-istioctl", ratio, result{
					"CPU of " + start.title + " against istioctl's",
					fmt.Sprintf("%.2f times (%.0f ms, %.0f ms)", ratio, ours.cpu().Seconds()*1e3, theirs.cpu().Seconds()*1e3),
					"at most 0.75 times", ratio <= 0.75,
				})
			}
		})
	}
}
