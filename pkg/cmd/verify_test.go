package cmd

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/app"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func TestVerifyUsage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ args, want string }{
		{"--only tokn-expired", `there is no check "tokn-expired"; did you mean token-expired?`},
		{"--skip reachable,rots-differ", `there is no check "rots-differ"; did you mean roots-differ?`},
		{"--explain cabundle", `there is no check "cabundle"; did you mean cabundle-empty?`},
		{"--list --only nothing-like-it", `--list shows them all`},
		{"--category tls", `there is no category "tls"; there are: clusters, control-plane`},
		{"--only permission", "verify does not ask permission. Asked by preflight, install-primary"},
		{"--only traffic", "traffic needs --traffic"},
		{"--category traffic", "category traffic needs --traffic"},
		{"--only reachable --skip reachable", "no check is left"},
		{"--only reachable --category trust", "no check is left"},
		{"--only=", "--only is given and names nothing"},
		{"--skip=", "--skip is given and names nothing"},
		{"--category=", "--category is given and names nothing"},
		{"--explain=", "--explain is given and names nothing"},
		{"-o xml", `--output "xml" is none of wide, json, yaml, junit, name`},
		{"--watch -o json", `--output "json" is none of wide, name, which are what --watch can write`},
		{"--list -o wide", `--output "wide" is none of json, yaml, name, which are what --list can write`},
		{"--explain reachable -o name", `--output "name" is none of json, yaml, which are what --explain can write`},
		{"--list --explain reachable", "do not go together"},
		{"--list west", "--list looks at no cluster"},
		{"--explain reachable west", "--explain looks at no cluster"},
		{"--explain reachable --traffic", "--explain looks at no cluster"},
		{"--list --watch", "--list looks at no cluster"},
		{"--watch --traffic", "--watch does not go with --traffic"},
		{"--watch --interval 0s", `it is not a time to wait: give more than 0s`},
		{"--fail-on skip", `--fail-on "skip" is neither fail nor warn`},
		{"--watch --interval soon", "it is not a duration such as 30s or 5m"},
		{"--interval 1s", "--interval means nothing without --watch"},
		{"--keep", "--keep means nothing without --traffic"},
		{"--probe-image registry.example/probe:1", "--probe-image means nothing without --traffic"},
		{"--timeout 0", "it is not a time to wait"},
		{"--timeout -1s", "it is not a time to wait"},
		{"-v=6", "-v takes no level: it is --verbose"},
		{"-n Bad_NS", `namespace "Bad_NS" is not valid`},
		{"--revision 1.29", `revision "1.29" is not valid`},
		{"--nothing", "unknown flag"},
		// All is well with these; what is missing is a cluster.
		{"", "which cluster is the primary?"},
		{"--only reachable,roots-differ --category clusters,trust --skip roots-differ -o junit --fail-on=warn", "which cluster is the primary?"},
		{"--traffic --only traffic --keep --probe-image registry.example/probe:1", "which cluster is the primary?"},
		{"--watch -o name --interval 1s", "which cluster is the primary?"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			code, out, errOut := typed(t, append([]string{"verify"}, strings.Fields(test.args)...)...)
			if code != ExitUsage || out != "" || !strings.Contains(errOut, test.want) {
				t.Errorf("exit code %d, stdout %q, stderr %q; want %q", code, out, errOut, test.want)
			}
		})
	}
}

func TestVerifyListAndExplain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args  string
		holds func(out string) bool
	}{
		{"--list", func(out string) bool { return strings.Count(out, "\n") > len(check.All()) }},
		{"--list -o name", func(out string) bool { return strings.Count(out, "\n") == len(check.All()) }},
		{"--list -o name --category trust --skip roots-differ", func(out string) bool {
			return strings.HasPrefix(out, "root-cm-missing\n") && !strings.Contains(out, "roots-differ") && !strings.Contains(out, "reachable")
		}},
		{"--list -o json", func(out string) bool {
			var c catalogue
			return json.Unmarshal([]byte(out), &c) == nil && len(c.Checks) == len(check.All()) && c.Checks[0].Why != ""
		}},
		{"--list -o yaml --only permission", func(out string) bool {
			var c catalogue
			return yaml.Unmarshal([]byte(out), &c) == nil && len(c.Checks) == 1 && c.Checks[0].Category == check.Clusters
		}},
		{"--explain token-expired,leftover", func(out string) bool {
			return strings.HasPrefix(out, "token-expired\n") && strings.Contains(out, "\nleftover\n") && strings.Contains(out, "docs/checks.md#leftover")
		}},
		{"--explain token-expired --explain leftover -o json", func(out string) bool {
			var c catalogue
			return json.Unmarshal([]byte(out), &c) == nil && len(c.Checks) == 2 && c.Checks[1].ID == "leftover"
		}},
		{"--explain leftover -o yaml", func(out string) bool {
			var c catalogue
			return yaml.Unmarshal([]byte(out), &c) == nil && len(c.Checks) == 1 && c.Checks[0].Severity == check.Warn
		}},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			code, out, errOut := typed(t, append([]string{"verify"}, strings.Fields(test.args)...)...)
			if code != ExitOK || errOut != "" || !test.holds(out) {
				t.Errorf("exit code %d, stderr %q, stdout:\n%s", code, errOut, out)
			}
		})
	}
}

// verified runs verify with flags on a mesh of which judge tells.
func verified(t *testing.T, judge func(context.Context, []string) (app.Verdict, error), flags ...string) (code int, out, errOut string) {
	t.Helper()
	streams, _, stdout, stderr := genericiooptions.NewTestIOStreams()
	v, c := fakeVerify(streams, judge)
	if err := c.ParseFlags(flags); err != nil {
		t.Fatal(err)
	}
	return codeOf(t.Context(), v.run(t.Context(), nil)), stdout.String(), stderr.String()
}

func fakeVerify(streams genericiooptions.IOStreams, judge func(context.Context, []string) (app.Verdict, error)) (*verify, *cobra.Command) {
	v := &verify{judging: fakeJudging(streams, "verify", judge)}
	c := &cobra.Command{Use: "verify"}
	v.addFlags(c)
	return v, c
}

func TestVerifyExitCodes(t *testing.T) {
	t.Parallel()
	const (
		good     = "reachable east pass"
		warning  = "version-skew east warn"
		unknown  = "root-cm-missing west unknown"
		bad      = "token-expired west fail"
		hindered = "not-synced west skip token-expired"
		blinded  = "roots-differ west skip root-cm-missing"
	)
	for _, test := range []struct {
		flags   string
		results []string
		code    int
		errOut  string
	}{
		{"", []string{good}, ExitOK, ""},
		{"", []string{good, warning}, ExitOK, ""},
		{"", []string{good, warning, unknown}, ExitUnknown, ""},
		{"", []string{good, warning, unknown, bad}, ExitFailed, ""},
		{"--fail-on=warn", []string{good}, ExitOK, ""},
		{"--fail-on=warn", []string{good, warning}, ExitFailed, ""},
		{"--fail-on=warn", []string{unknown, warning}, ExitFailed, ""},
		{"--fail-on=warn", []string{unknown}, ExitUnknown, ""},
		{"--only reachable", []string{good, bad}, ExitOK, ""},
		{"--skip token-expired", []string{good, bad, hindered}, ExitOK, ""},
		{"--category clusters", []string{good, bad}, ExitOK, ""},
		{"--only token-expired", []string{good, bad}, ExitFailed, ""},
		// What could not be judged has not passed.
		{"--only not-synced", []string{good, bad, hindered}, ExitFailed, "west: token-expired, which a chosen check needs, failed: as seen\n"},
		{"--only not-synced --skip token-expired", []string{good, bad, hindered}, ExitOK, ""},
		{"--only roots-differ", []string{unknown, blinded}, ExitUnknown, "west: root-cm-missing, which a chosen check needs, is unknown: as seen\n"},
		{"--only not-synced", []string{"reachable east fail"}, ExitFailed, "east: reachable, which a chosen check needs, failed: as seen\n"},
		{"--only sync-partial", []string{good}, ExitOK, "The chosen checks do not apply to these clusters.\n"},
	} {
		t.Run(test.flags+"/"+strings.Join(test.results, ","), func(t *testing.T) {
			t.Parallel()
			code, _, errOut := verified(t, func(context.Context, []string) (app.Verdict, error) { return found(test.results...), nil }, strings.Fields(test.flags)...)
			if code != test.code || errOut != test.errOut {
				t.Errorf("exit code %d, want %d; stderr %q, want %q", code, test.code, errOut, test.errOut)
			}
		})
	}
}

func TestVerifyOutputs(t *testing.T) {
	t.Parallel()
	judge := func(context.Context, []string) (app.Verdict, error) {
		v := found("reachable east pass", "token-expired west fail")
		v.Traffic = &snapshot.Traffic{Calls: []snapshot.Call{{From: "east", To: "west", Protocol: "http", Sent: 10, Answered: 10, P50: time.Millisecond}}}
		return v, nil
	}
	for output, holds := range map[string]func(out string) bool{
		"": func(out string) bool {
			return strings.HasPrefix(out, "FROM \\ TO") && strings.Contains(out, "✗ token-expired  as seen") && strings.HasSuffix(out, "west: 0 passed, 1 failed\n✗ 1 of 2 clusters passed; west failed\n")
		},
		"wide": func(out string) bool {
			return strings.HasPrefix(out, "FROM \\ TO") && strings.Contains(out, "docs/checks.md#token-expired") && strings.Contains(out, "credentials")
		},
		"name": func(out string) bool { return out == "check/east/reachable pass\ncheck/west/token-expired fail\n" },
		"json": func(out string) bool {
			var v verdict
			return json.Unmarshal([]byte(out), &v) == nil && len(v.Results) == 2 && v.Traffic.Calls[0].P50 == time.Millisecond
		},
		"yaml": func(out string) bool {
			var v verdict
			return yaml.Unmarshal([]byte(out), &v) == nil && len(v.Results) == 2 && v.Traffic.Calls[0].To == "west"
		},
		"junit": func(out string) bool {
			var suites struct {
				Failures int `xml:"failures,attr"`
			}
			return xml.Unmarshal([]byte(out), &suites) == nil && suites.Failures == 1
		},
	} {
		t.Run(output, func(t *testing.T) {
			t.Parallel()
			code, out, errOut := verified(t, judge, "-o", output)
			if code != ExitFailed || errOut != "" || !holds(out) {
				t.Errorf("exit code %d, stderr %q, stdout:\n%s", code, errOut, out)
			}
		})
	}
}

// Results of nothing are an empty list for programs, not null.
func TestVerifyNothingChosen(t *testing.T) {
	t.Parallel()
	_, out, _ := verified(t, func(context.Context, []string) (app.Verdict, error) { return found("reachable east pass"), nil }, "--only", "sync-partial", "-o", "json")
	if !strings.Contains(out, `"results": []`) {
		t.Errorf("got %s", out)
	}
}

func TestVerifyError(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{nil, {"--watch"}} {
		code, out, _ := verified(t, func(context.Context, []string) (app.Verdict, error) { return app.Verdict{}, usage("no such context") }, flags...)
		if code != ExitUsage || out != "" {
			t.Errorf("%q: exit code %d, stdout %q", flags, code, out)
		}
	}
}

func TestVerifyCompletion(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--category", "t"}, "trust traffic"},
		{[]string{"--category", "trust,t"}, "trust,traffic"},
		{[]string{"--only", "roots-differ,ro"}, "roots-differ,root-cm-missing"},
		{[]string{"--skip", "leftover,secret-c"}, "leftover,secret-ca"},
		{[]string{"--only", "permis"}, ""},
		{[]string{"--explain", "permis"}, "permission"},
		{[]string{"--fail-on", ""}, "fail warn"},
		{[]string{"--output", "j"}, "json junit"},
		{[]string{"-o", ""}, "wide json yaml junit name"},
	} {
		_, out, _ := typed(t, append([]string{cobra.ShellCompRequestCmd, "verify"}, test.args...)...)
		if got := completions(out); got != test.want {
			t.Errorf("%q completes to %q, want %q", test.args, got, test.want)
		}
	}
}

// What was put into clusters is removed before verify ends, whatever else has happened, and after what was found is shown.
func TestVerifyAwaitsTheRemoval(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		out   error
		judge error
		code  int
	}{
		{"shown", nil, nil, ExitOK},
		{"closed early", syscall.EPIPE, nil, ExitOK}, // Main makes its own exit code of it
		{"interrupted", nil, context.Canceled, ExitInterrupted},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			streams, _, stdout, stderr := genericiooptions.NewTestIOStreams()
			if test.out != nil {
				streams.Out = &watchedOutput{Writer: unwritable{test.out}, lost: func(error) { interrupt() }}
			}
			removed := false
			v, _ := fakeVerify(streams, func(context.Context, []string) (app.Verdict, error) {
				found := found("reachable east pass")
				found.Removal = &app.Removal{Clusters: []string{"east"}, Wait: func() error {
					if shown := stdout.Len() > 0; shown != (test.out == nil && test.judge == nil) {
						t.Errorf("shown before the removal is %v", shown)
					}
					removed = true
					return nil
				}}
				if test.judge != nil {
					interrupt()
				}
				return found, test.judge
			})
			code := codeOf(ctx, v.run(ctx, nil))
			if code != test.code || !removed {
				t.Errorf("exit code %d, removed is %v; stderr %q", code, removed, stderr.String())
			}
		})
	}
}

// What could not be removed is told.
func TestVerifyCannotRemove(t *testing.T) {
	t.Parallel()
	code, out, _ := verified(t, func(context.Context, []string) (app.Verdict, error) {
		found := found("reachable east pass")
		found.Removal = &app.Removal{Clusters: []string{"east"}, Wait: func() error { return errors.New("it stays") }}
		return found, nil
	}, "-o", "name")
	if code != ExitFailed || out != "check/east/reachable pass\n" {
		t.Errorf("exit code %d, stdout %q", code, out)
	}
}
