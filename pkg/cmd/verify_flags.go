package cmd

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
)

// addFlags adds those that choose checks and say how they are shown.
func (v *verify) addFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVarP(&v.output, "output", "o", "", "One of wide, json, yaml, junit, name; with --list json, yaml or name, with --explain json or yaml")
	f.StringSliceVar(&v.choice.Only, "only", nil, "Show these checks only, by id")
	f.StringSliceVar(&v.choice.Skip, "skip", nil, "Leave these checks out, by id")
	f.StringSliceVar(&v.choice.Categories, "category", nil, "Show the checks of these categories only: "+strings.Join(categoryNames(), ", "))
	f.StringVar(&v.failOn, "fail-on", string(check.Fail), "The exit code is 1 from this status on: fail or warn")
	f.BoolVar(&v.list, "list", false, "List the checks that there are; needs no cluster")
	f.StringSliceVar(&v.explain, "explain", nil, "Explain checks, by id; needs no cluster")
	f.BoolVar(&v.watch, "watch", false, "Judge again and again, and tell what changes, until Ctrl-C")
	f.DurationVar(&v.interval, "interval", 5*time.Second, "How often --watch judges")

	var ids, askedIDs, categories []string
	for _, one := range check.All() {
		ids = append(ids, one.ID+"\t"+one.Title)
		if one.Verify {
			askedIDs = append(askedIDs, one.ID+"\t"+one.Title)
		}
	}
	categories = append(categories, categoryNames()...)
	mustComplete(c, map[string]cobra.CompletionFunc{
		"only": completeList(askedIDs), "skip": completeList(askedIDs), "explain": completeList(ids), "category": completeList(categories),
		"output":  completeList([]string{"wide", "json", "yaml", "junit", "name"}),
		"fail-on": completeList([]string{string(check.Fail), string(check.Warn)}),
	})
}

func categoryNames() []string {
	var names []string
	for _, c := range check.Categories() {
		names = append(names, string(c))
	}
	return names
}

// completeList completes the last of several values with commas between; values may carry a description after a tab.
func completeList(values []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, given string) ([]cobra.Completion, cobra.ShellCompDirective) {
		done := given[:strings.LastIndex(given, ",")+1]
		var left []cobra.Completion
		for _, value := range values {
			name, _, _ := strings.Cut(value, "\t")
			if strings.HasPrefix(name, given[len(done):]) && !slices.Contains(strings.Split(done, ","), name) {
				left = append(left, done+value)
			}
		}
		return left, cobra.ShellCompDirectiveNoFileComp
	}
}

// validate finds wrong usage before any cluster is called.
func (v *verify) validate(args []string) error {
	outputs := []string{"", "wide", "json", "yaml", "junit", "name"}
	alone := ""
	switch {
	case v.list && v.explain != nil:
		return usage("--list and --explain do not go together")
	case v.list:
		alone, outputs = "--list", []string{"", "json", "yaml", "name"}
	case v.explain != nil:
		alone, outputs = "--explain", []string{"", "json", "yaml"}
	case v.watch:
		outputs = []string{"", "wide", "name"}
	}
	if !slices.Contains(outputs, v.output) {
		return usage("--output %q is none of %s%s", v.output, strings.Join(outputs[1:], ", "), v.onlyWith(alone))
	}
	if alone != "" && (v.watch || v.traffic || len(args) > 0) {
		return usage("%s looks at no cluster: it takes neither contexts nor --watch nor --traffic", alone)
	}
	if v.failOn != string(check.Fail) && v.failOn != string(check.Warn) {
		return usage("--fail-on %q is neither fail nor warn", v.failOn)
	}
	if v.watch && v.traffic {
		return usage("--watch does not go with --traffic, which starts pods each time")
	}
	if v.interval <= 0 {
		return usage("--interval %s is not a time to wait", v.interval)
	}
	for flag, values := range map[string][]string{
		"--only": v.choice.Only, "--skip": v.choice.Skip, "--category": v.choice.Categories, "--explain": v.explain,
	} {
		if values != nil && len(values) == 0 { // as of a script's variable that is not set
			return usage("%s is given and names nothing", flag)
		}
	}
	for _, id := range v.explain {
		if _, err := check.Find(id); err != nil {
			return usage("%w", err)
		}
	}
	if err := v.choice.Validate(); err != nil {
		return usage("%w", err)
	}
	if alone != "" {
		return nil
	}
	return v.validateAsked()
}

// onlyWith says for which flag an output is refused.
func (v *verify) onlyWith(alone string) string {
	switch {
	case alone != "":
		return ", which are what " + alone + " can write"
	case v.watch:
		return ", which are what --watch can write"
	}
	return ""
}

// validateAsked refuses to choose what verify will not ask: that nothing is wrong with it would be no answer.
func (v *verify) validateAsked() error {
	for _, id := range v.choice.Only {
		switch c, err := check.Find(id); {
		case err != nil:
			return err
		case !c.Verify:
			return usage("verify does not ask %s. %s", id, report.AskedBy(c))
		case c.Category == check.Traffic && !v.traffic:
			return usage("%s needs --traffic", id)
		}
	}
	for _, c := range v.choice.Of(check.All()) {
		if c.Verify && (v.traffic || c.Category != check.Traffic) {
			return nil
		}
	}
	if slices.Contains(v.choice.Categories, string(check.Traffic)) && !v.traffic {
		return usage("category traffic needs --traffic")
	}
	return usage("no check is left of --only, --category and --skip")
}

func (v *verify) printList() error {
	checks := v.choice.Of(check.All())
	switch v.output {
	case "json":
		return report.JSON(v.Out, catalogue{checks})
	case "yaml":
		return report.YAML(v.Out, catalogue{checks})
	case "name":
		return report.ListNames(v.Out, checks)
	}
	return report.List(v.Out, v.outStyle(), checks)
}

func (v *verify) printExplained() error {
	var checks []check.Check
	for _, id := range v.explain {
		c, err := check.Find(id)
		if err != nil {
			return err
		}
		checks = append(checks, c)
	}
	switch v.output {
	case "json":
		return report.JSON(v.Out, catalogue{checks})
	case "yaml":
		return report.YAML(v.Out, catalogue{checks})
	}
	return report.Explain(v.Out, v.outStyle(), checks)
}

// catalogue is what --list and --explain print for programs. docs/checks.md has its schema.
type catalogue struct {
	Checks []check.Check `json:"checks"`
}
