package cmd

import (
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
)

// addFlags adds those that verify has beside what every judging command has.
func (v *verify) addFlags(c *cobra.Command) {
	v.judging.addFlags(c)
	f := c.Flags()
	v.given = f.Changed
	f.Lookup("output").Usage += "; with --list json, yaml or name, with --explain json or yaml"
	f.Lookup("timeout").Usage += "; with --watch, each judgement"
	f.BoolVar(&v.list, "list", false, "List the checks that there are; needs no cluster")
	f.StringSliceVar(&v.explain, "explain", nil, "Explain checks, by id; needs no cluster")
	f.BoolVar(&v.watch, "watch", false, "Judge again and again, and tell what changes, until Ctrl-C")
	durationVar(f, &v.interval, "interval", 5*time.Second, "How often --watch judges")
	mustComplete(c, map[string]cobra.CompletionFunc{"explain": completeList(described(check.All()))})
}

// validate finds wrong usage before any cluster is called.
func (v *verify) validate(args []string) error {
	alone := ""
	forms, why := outputs(), ""
	switch {
	case v.list && v.explain != nil:
		return usage("--list and --explain do not go together")
	case v.list:
		alone, forms = "--list", []string{"", "json", "yaml", "name"}
	case v.explain != nil:
		alone, forms = "--explain", []string{"", "json", "yaml"}
	case v.watch:
		forms, why = []string{"", "wide", "name"}, ", which are what --watch can write"
	}
	if alone != "" {
		why = ", which are what " + alone + " can write"
	}
	if err := v.judging.validateOutput(forms, why); err != nil {
		return err
	}
	if alone != "" && (v.watch || v.traffic || len(args) > 0) {
		return usage("%s looks at no cluster: it takes neither contexts nor --watch nor --traffic", alone)
	}
	if v.watch && v.traffic {
		return usage("--watch does not go with --traffic, which starts pods each time")
	}
	if err := v.validateModes(); err != nil {
		return err
	}
	if err := named(map[string][]string{"--explain": v.explain}); err != nil {
		return err
	}
	for _, id := range v.explain {
		if _, err := check.Find(id); err != nil {
			return usage("%w", err)
		}
	}
	if err := v.judging.validateFlags(); err != nil || alone != "" {
		return err
	}
	return v.validateAsked()
}

// validateModes refuses flags that mean nothing without another one.
func (v *verify) validateModes() error {
	for _, flag := range []struct {
		name, mode string
		on         bool
	}{{"keep", "--traffic", v.traffic}, {"probe-image", "--traffic", v.traffic}, {"interval", "--watch", v.watch}} {
		if !flag.on && v.given(flag.name) {
			return usage("--%s means nothing without %s", flag.name, flag.mode)
		}
	}
	return nil
}

// validateAsked refuses to choose what verify will not ask; without --traffic that is all that probes tell.
func (v *verify) validateAsked() error {
	asked := check.For(v.judging.command)
	if v.traffic {
		return v.judging.validateAsked(asked)
	}
	ofTraffic := func(c check.Check) bool { return c.Category == check.Traffic }
	for _, c := range asked {
		if ofTraffic(c) && slices.Contains(v.judging.choice.Only, c.ID) {
			return usage("%s needs --traffic", c.ID)
		}
	}
	asked = slices.DeleteFunc(asked, ofTraffic)
	if len(v.judging.choice.Of(asked)) == 0 && slices.Contains(v.judging.choice.Categories, string(check.Traffic)) {
		return usage("category traffic needs --traffic")
	}
	return v.judging.validateAsked(asked)
}

func (v *verify) printList() error {
	checks := v.judging.choice.Of(check.All())
	switch v.judging.output {
	case "json":
		return report.JSON(v.judging.global.Out, catalogue{checks})
	case "yaml":
		return report.YAML(v.judging.global.Out, catalogue{checks})
	case "name":
		return report.ListNames(v.judging.global.Out, checks)
	}
	return report.List(v.judging.global.Out, v.judging.global.outStyle(), checks)
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
	switch v.judging.output {
	case "json":
		return report.JSON(v.judging.global.Out, catalogue{checks})
	case "yaml":
		return report.YAML(v.judging.global.Out, catalogue{checks})
	}
	return report.Explain(v.judging.global.Out, v.judging.global.outStyle(), checks)
}

// catalogue is what --list and --explain print for programs. docs/guide/output.md has its schema.
type catalogue struct {
	Checks []check.Check `json:"checks"`
}
