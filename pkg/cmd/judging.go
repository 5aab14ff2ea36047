package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/app"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// judging is what the commands that judge share: which checks are shown, in which form, and which exit code they make.
type judging struct {
	global *global
	// command is verify or preflight, by which the checks know who asks.
	command  string
	timeout  time.Duration
	revision string
	output   string
	choice   check.Selection
	failOn   string
	// judge looks at the clusters and judges them; tests put something else in.
	judge func(ctx context.Context, args []string) (app.Verdict, error)
}

// verdict is what is printed for programs. docs/guide/output.md has its schema.
type verdict struct {
	Results []check.Result    `json:"results"`
	Traffic *snapshot.Traffic `json:"traffic,omitempty"`
}

// outputs are the forms of a verdict; empty is the table.
func outputs() []string { return []string{"", "wide", "json", "yaml", "junit", "name"} }

// addFlags adds those that choose checks and say how they are shown.
func (j *judging) addFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&j.revision, "revision", "", "The control plane's revision")
	durationVar(f, &j.timeout, "timeout", time.Minute, "How long the whole command may take")
	f.StringVarP(&j.output, "output", "o", "", "One of "+strings.Join(outputs()[1:], ", "))
	f.StringSliceVar(&j.choice.Only, "only", nil, "Show these checks only, by id")
	f.StringSliceVar(&j.choice.Skip, "skip", nil, "Leave these checks out, by id")
	f.StringSliceVar(&j.choice.Categories, "category", nil, "Show the checks of these categories only: "+strings.Join(categoryNames(), ", "))
	f.StringVar(&j.failOn, "fail-on", string(check.Fail), "The exit code is 1 from this status on: fail or warn")
	ids := completeList(described(check.For(j.command)))
	mustComplete(c, map[string]cobra.CompletionFunc{
		"only": ids, "skip": ids, "category": completeList(categoryNames()),
		"output": completeList(outputs()[1:]), "fail-on": completeList([]string{string(check.Fail), string(check.Warn)}),
	})
}

// described are ids with their titles, as completions show them.
func described(checks []check.Check) []string {
	var ids []string
	for _, c := range checks {
		ids = append(ids, c.ID+"\t"+c.Title)
	}
	return ids
}

func categoryNames() []string {
	var names []string
	for _, c := range check.Categories() {
		names = append(names, string(c))
	}
	return names
}

// session is that of this call.
func (j *judging) session() app.Session {
	s := j.global.session()
	s.Revision = j.revision
	return s
}

// validateFlags refuses values of which a flag has none.
func (j *judging) validateFlags() error {
	if j.failOn != string(check.Fail) && j.failOn != string(check.Warn) {
		return usage("--fail-on %q is neither fail nor warn", j.failOn)
	}
	if err := named(map[string][]string{"--only": j.choice.Only, "--skip": j.choice.Skip, "--category": j.choice.Categories}); err != nil {
		return err
	}
	if err := j.choice.Validate(); err != nil {
		return usage("%w", err)
	}
	return nil
}

// validateOutput refuses a form in which it can't be written; why says what narrows the choice.
func (j *judging) validateOutput(forms []string, why string) error {
	if !slices.Contains(forms, j.output) {
		return usage("--output %q is none of %s%s", j.output, strings.Join(forms[1:], ", "), why)
	}
	return nil
}

// named refuses flags that are given and empty, as by a script's variable that is not set.
func named(lists map[string][]string) error {
	for flag, values := range lists {
		if values != nil && len(values) == 0 {
			return usage("%s is given and names nothing", flag)
		}
	}
	return nil
}

// validateAsked refuses to choose what the command will not ask: that nothing is wrong with it would be no answer.
func (j *judging) validateAsked(asked []check.Check) error {
	for _, id := range j.choice.Only {
		if c, err := check.Find(id); err != nil {
			return err
		} else if !slices.ContainsFunc(asked, func(a check.Check) bool { return a.ID == id }) {
			return usage("%s does not ask %s. %s", j.command, id, report.AskedBy(c))
		}
	}
	if len(j.choice.Of(asked)) == 0 {
		return usage("no check is left of --only, --category and --skip")
	}
	return nil
}

// judgeOnce judges once, within --timeout.
func (j *judging) judgeOnce(ctx context.Context, args []string) (app.Verdict, error) {
	ctx, cancel := bounded(ctx, j.timeout)
	defer cancel()
	return j.judge(ctx, args)
}

// run judges, shows what is chosen of it and gives it its exit code.
func (j *judging) run(ctx context.Context, args []string) error {
	found, err := j.judgeOnce(ctx, args)
	if err != nil {
		return errors.Join(err, j.awaitRemoval(found.Removal))
	}
	chosen, blocking := j.choose(found.Results)
	err = j.print(verdict{Results: chosen, Traffic: found.Traffic})
	j.printBlocking(chosen, blocking)
	// What is found is shown, whatever the removal takes.
	if err := errors.Join(err, j.awaitRemoval(found.Removal)); err != nil {
		return err
	}
	return j.exit(slices.Concat(chosen, blocking))
}

// awaitRemoval shows what the command waits for at its end.
func (j *judging) awaitRemoval(removal *app.Removal) error {
	if removal == nil {
		return nil
	}
	say, stop := j.global.narrate(removal.Clusters)
	for _, name := range removal.Clusters {
		say(name, "remove the probe")
	}
	defer stop()
	return removal.Wait()
}

// choose parts what is shown from what stands in its way.
func (j *judging) choose(results []check.Result) (chosen, blocking []check.Result) {
	return j.choice.Results(check.For(j.command), results)
}

func (j *judging) print(found verdict) error {
	switch j.output {
	case "json":
		return report.JSON(j.global.Out, found)
	case "yaml":
		return report.YAML(j.global.Out, found)
	case "junit":
		return report.JUnit(j.global.Out, "kubectl mesh "+j.command, found.Results, j.failOn == string(check.Warn))
	case "name":
		return report.Names(j.global.Out, found.Results)
	}
	if found.Traffic != nil && len(found.Traffic.Calls) > 0 {
		if err := report.Traffic(j.global.Out, j.global.outStyle(), found.Traffic); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(j.global.Out); err != nil {
			return err
		}
	}
	if j.output == "wide" {
		return report.ChecksWide(j.global.Out, j.global.outStyle(), found.Results)
	}
	return report.Checks(j.global.Out, j.global.outStyle(), found.Results)
}

// printBlocking says on stderr what the chosen results alone do not: that there are none, or what stands in their way.
func (j *judging) printBlocking(chosen, blocking []check.Result) {
	if len(chosen)+len(blocking) == 0 {
		fmt.Fprintln(j.global.ErrOut, "The chosen checks do not apply to these clusters.")
	}
	for _, r := range blocking {
		switch r.Status {
		case check.Fail:
			fmt.Fprintf(j.global.ErrOut, "%s: %s, which a chosen check needs, failed: %s\n", r.Cluster, r.ID, report.Plain(r.Seen))
		case check.Unknown:
			fmt.Fprintf(j.global.ErrOut, "%s: %s, which a chosen check needs, is unknown: %s\n", r.Cluster, r.ID, report.Plain(r.Seen))
		}
	}
}

// exit gives a judgement its exit code, by --fail-on.
func (j *judging) exit(results []check.Result) error {
	if j.failOn == string(check.Warn) && slices.ContainsFunc(results, func(r check.Result) bool { return r.Status == check.Warn }) {
		return &exitError{code: ExitFailed}
	}
	switch check.Worst(results) {
	case check.Fail:
		return &exitError{code: ExitFailed}
	case check.Unknown:
		return &exitError{code: ExitUnknown}
	}
	return nil
}
