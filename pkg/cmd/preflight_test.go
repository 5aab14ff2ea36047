package cmd

import (
	"context"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/app"
)

func TestPreflightUsage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ args, want string }{
		{"--only permision", `there is no check "permision"; did you mean permission?`},
		{"--only token-expired", "preflight does not ask token-expired. Asked by verify"},
		{"--category traffic", "no check is left"},
		{"--only reachable --skip reachable", "no check is left"},
		{"--skip=", "--skip is given and names nothing"},
		{"-o xml", `--output "xml" is none of wide, json, yaml, junit, name`},
		{"--fail-on skip", `--fail-on "skip" is neither fail nor warn`},
		{"--list", "unknown flag"},
		{"--remote-server 10.0.0.1", "which cluster is the primary?"},
		// All is well with these; what is missing is a cluster.
		{"--only permission,load-balancer --skip load-balancer -o name", "which cluster is the primary?"},
		{"--category clusters,gateway -o wide --fail-on=warn", "which cluster is the primary?"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			code, out, errOut := typed(t, append([]string{"preflight"}, strings.Fields(test.args)...)...)
			if code != ExitUsage || out != "" || !strings.Contains(errOut, test.want) {
				t.Errorf("exit code %d, stdout %q, stderr %q; want %q", code, out, errOut, test.want)
			}
		})
	}
}

// preflighted runs preflight with flags on clusters of which lines tell.
func preflighted(t *testing.T, lines []string, flags ...string) (code int, out, errOut string) {
	t.Helper()
	streams, _, stdout, stderr := genericiooptions.NewTestIOStreams()
	p := &preflight{judging: fakeJudging(streams, "preflight", func(context.Context, []string) (app.Verdict, error) { return found(lines...), nil })}
	c := &cobra.Command{Use: "preflight"}
	p.judging.addFlags(c)
	if err := c.ParseFlags(flags); err != nil {
		t.Fatal(err)
	}
	return codeOf(t.Context(), p.run(t.Context(), nil)), stdout.String(), stderr.String()
}

// Choice, form and exit code are verify's, which has the tests of each; these show that preflight has them too.
func TestPreflightTells(t *testing.T) {
	t.Parallel()
	const (
		good     = "reachable east pass"
		warning  = "load-balancer east warn"
		unknown  = "pod-security west unknown"
		bad      = "reachable west fail"
		hindered = "permission west skip reachable"
	)
	for _, test := range []struct {
		flags   string
		results []string
		code    int
		out     string
		errOut  string
	}{
		{"-o name", []string{good, warning}, ExitOK, "check/east/reachable pass\ncheck/east/load-balancer warn\n", ""},
		{"-o name --fail-on=warn", []string{good, warning}, ExitFailed, "check/east/reachable pass\ncheck/east/load-balancer warn\n", ""},
		{"-o name --fail-on=warn --skip load-balancer", []string{good, warning}, ExitOK, "check/east/reachable pass\n", ""},
		{"-o name", []string{unknown}, ExitUnknown, "check/west/pod-security unknown\n", ""},
		{"-o name --only reachable", []string{bad, unknown}, ExitFailed, "check/west/reachable fail\n", ""},
		{"-o name --category gateway", []string{good, warning, unknown}, ExitOK, "check/east/load-balancer warn\n", ""},
		{"-o name --only permission", []string{good, bad, hindered}, ExitFailed, "check/west/permission skip\n",
			"west: reachable, which a chosen check needs, failed: as seen\n"},
		{"-o name --only other-primary", []string{good}, ExitOK, "", "The chosen checks do not apply to these clusters.\n"},
		{"", []string{good}, ExitOK, "east\n  ✓ clusters  1 check\n\neast: 1 passed\n✓ 1 of 1 cluster passed\n", ""},
	} {
		t.Run(test.flags+"/"+strings.Join(test.results, ","), func(t *testing.T) {
			t.Parallel()
			code, out, errOut := preflighted(t, test.results, strings.Fields(test.flags)...)
			if code != test.code || out != test.out || errOut != test.errOut {
				t.Errorf("exit code %d, want %d; stdout %q, want %q; stderr %q, want %q", code, test.code, out, test.out, errOut, test.errOut)
			}
		})
	}
	for form, holds := range map[string]string{"json": `"results": [`, "yaml": "results:\n", "junit": `<testsuites name="kubectl mesh preflight"`, "wide": "docs/checks.md#load-balancer"} {
		if _, out, _ := preflighted(t, []string{good, warning}, "-o", form); !strings.Contains(out, holds) {
			t.Errorf("-o %s has no %q:\n%s", form, holds, out)
		}
	}
}

func TestPreflightCompletion(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"--only permis": "permission", "--only token": "", "--skip load": "load-balancer", "-o j": "json junit"} {
		_, out, _ := typed(t, append([]string{cobra.ShellCompRequestCmd, "preflight"}, strings.Fields(given)...)...)
		if got := completions(out); got != want {
			t.Errorf("%q completes to %q, want %q", given, got, want)
		}
	}
}
