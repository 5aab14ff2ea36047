package cmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/app"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
)

// objects says whether a command that writes shows what it writes, or only shows it.
type objects struct {
	dryRun      string
	printing    *genericclioptions.PrintFlags
	onlyCluster string
	secrets     string
	diff        bool
	dir         string
}

func (s *objects) addFlags(c *cobra.Command) {
	s.printing = genericclioptions.NewPrintFlags("").WithTypeSetter(scheme.Scheme)
	s.printing.AddFlags(c)
	f := c.Flags()
	f.StringVar(&s.dryRun, "dry-run", string(apply.DryRunNone), `"client" shows what would be applied and sends nothing, "server" has the API servers do everything but keep it; "none"`)
	f.BoolVar(&s.diff, "show-diff", false, "Show what would change as kubectl diff does, and keep nothing; honours KUBECTL_EXTERNAL_DIFF")
	f.StringVar(&s.onlyCluster, "only-cluster", "", "Show the objects of this cluster only, by its name in the mesh")
	f.StringVar(&s.dir, "output-dir", "", "Write the objects to this folder, one folder with a kustomization for each cluster, and nothing to any cluster")
	f.StringVar(&s.secrets, "secrets", string(report.OmitSecrets), `What to do with credentials in printed objects and files: "omit", "sealed-placeholder" (files alone) or "plain"`)
	// Rarely of use, and long.
	for _, rare := range []string{"allow-missing-template-keys", "template", "show-managed-fields"} {
		if flag := f.Lookup(rare); flag != nil {
			flag.Hidden = true
		}
	}
	mustComplete(c, map[string]cobra.CompletionFunc{
		"dry-run": completeList([]string{"none", "client", "server"}), "secrets": completeList([]string{string(report.OmitSecrets), string(report.PlaceholderSecrets), string(report.PlainSecrets)}),
		"output": completeList(s.printing.AllowedFormats()), "output-dir": completeFolders,
	})
}

// dry is true when nothing is to be kept.
func (s *objects) dry() bool { return s.diff || s.dir != "" || s.dryRun != string(apply.DryRunNone) }

// shown is true when objects are to be printed on stdout, which is then theirs alone.
func (s *objects) shown() bool {
	return s.dry() || s.printing.OutputFormat != nil && *s.printing.OutputFormat != ""
}

// how is the kind of dry run.
func (s *objects) how() apply.DryRun {
	switch {
	case s.diff:
		return apply.DryRunServer
	case s.dir != "":
		return apply.DryRunClient
	}
	return apply.DryRun(s.dryRun)
}

func (s *objects) validate() error {
	if !slices.Contains([]string{"none", "client", "server"}, s.dryRun) {
		return usage("--dry-run %q is none of none, client, server", s.dryRun)
	}
	secrets := []report.Secrets{report.OmitSecrets, report.PlainSecrets}
	if s.dir != "" {
		secrets = append(secrets, report.PlaceholderSecrets)
	}
	if !slices.Contains(secrets, report.Secrets(s.secrets)) {
		return usage("--secrets %q is none of omit, plain and, with --output-dir, sealed-placeholder", s.secrets)
	}
	if s.dir != "" && (s.diff || s.dryRun == string(apply.DryRunServer) || *s.printing.OutputFormat != "") {
		return usage("--output-dir writes files and asks no API server: it goes neither with --show-diff nor with --dry-run=server nor with --output")
	}
	if s.diff && (s.dryRun == string(apply.DryRunClient) || *s.printing.OutputFormat != "") {
		return usage("--show-diff asks the API servers, and shows the difference alone: it goes neither with --dry-run=client nor with --output")
	}
	if _, err := s.printer(apply.Created); err != nil {
		return usage("%w", err)
	}
	return nil
}

// printer is kubectl's own, for the chosen output; without one it says what became of an object.
func (s *objects) printer(verb apply.Verb) (printers.ResourcePrinter, error) {
	flags := *s.printing
	flags.NamePrintFlags = genericclioptions.NewNamePrintFlags(string(verb))
	switch s.how() {
	case apply.DryRunClient:
		flags.NamePrintFlags.Operation += " (dry run)"
	case apply.DryRunServer:
		flags.NamePrintFlags.Operation += " (server dry run)"
	}
	return flags.ToPrinter()
}

// partOf names what a step is a part of, so that names sort as parts are applied.
func partOf(step plan.Step, m mesh.Mesh) string {
	switch step.Stage {
	case plan.InstallPrimary, plan.ConvertRemote:
		return "1-install-primary"
	case plan.ExposeIstiod:
		return "2-expose-istiod"
	}
	for _, remote := range m.Remotes() {
		if step.Concerns(remote.Name) {
			return "3-attach-" + remote.Name
		}
	}
	return "3-attach"
}

// choose refuses an output whose objects nobody could tell apart by cluster.
func (s *objects) choose(steps []plan.Step) error {
	var clusters []string
	for _, step := range steps {
		if step.Writes() && !slices.Contains(clusters, step.Cluster) {
			clusters = append(clusters, step.Cluster)
		}
	}
	switch {
	case s.onlyCluster != "" && !slices.Contains(clusters, s.onlyCluster):
		return usage("--only-cluster %q: this command writes to %s", s.onlyCluster, strings.Join(clusters, ", "))
	case *s.printing.OutputFormat != "" && s.onlyCluster == "" && len(clusters) > 1:
		return usage("--output would mix the objects of %s, which are to be applied apart: choose with --only-cluster", strings.Join(clusters, ", "))
	}
	return nil
}

// show prints what became of the objects, those of one step before those of a later one.
func (w *writing) show(m mesh.Mesh, outcome app.Outcome) error {
	s := &w.objects
	var chosen []report.Object
	for _, applied := range outcome.Applied {
		if s.onlyCluster == "" || applied.Step.Cluster == s.onlyCluster {
			chosen = append(chosen, report.Object{Cluster: applied.Step.Cluster, Part: partOf(applied.Step, m), Result: applied.Result})
		}
	}
	report.SortObjects(chosen, clustersOf(outcome.Steps))
	if s.diff {
		return report.Diff(w.global.IOStreams, chosen)
	}
	if s.dir != "" {
		return w.writeFolders(chosen)
	}
	if *s.printing.OutputFormat == "" {
		return report.ObjectsByCluster(w.global.Out, chosen, s.printer)
	}
	if report.Secrets(s.secrets) == report.OmitSecrets && *s.printing.OutputFormat != "name" {
		var left []report.Object
		chosen, left = report.WithoutCredentials(chosen)
		for _, r := range left {
			fmt.Fprintf(w.global.ErrOut, "%s is left out: it carries credentials (--secrets=plain prints them)\n", apply.Name(r.Wanted))
		}
	}
	printer, err := s.printer("")
	if err != nil {
		return err
	}
	return report.Objects(w.global.Out, chosen, printer)
}

func (w *writing) writeFolders(chosen []report.Object) error {
	secrets := report.Secrets(w.objects.secrets)
	folders, err := report.Folders(w.objects.dir, chosen, secrets)
	if err != nil {
		return fmt.Errorf("--output-dir: %w", err)
	}
	for _, folder := range folders {
		fmt.Fprintln(w.global.Out, folder)
	}
	_, withheld := report.WithoutCredentials(chosen)
	for _, r := range withheld {
		what := fmt.Sprintf("%s of %s", apply.Name(r.Wanted), r.Cluster)
		switch secrets {
		case report.PlainSecrets:
			if istio.Unmade(r.Wanted) {
				fmt.Fprintf(w.global.ErrOut, "%s has no token yet: apply the folder of that remote, and run this again\n", what)
			}
			continue
		case report.OmitSecrets:
			file, plain, err := report.Held(w.objects.dir, r)
			switch {
			case err != nil:
				return fmt.Errorf("--output-dir: %w", err)
			case plain:
				fmt.Fprintf(w.global.ErrOut, "%s: %s has its credentials, from an earlier run, and stays as it is (--secrets=sealed-placeholder takes them out)\n", what, file)
				continue
			case file != "":
				fmt.Fprintf(w.global.ErrOut, "%s: %s stays as it is\n", what, file)
				continue
			}
		}
		fmt.Fprintf(w.global.ErrOut, "%s: its credentials are not in the files (--secrets=plain writes them, for you alone to read)\n", what)
	}
	return nil
}

// clustersOf are the clusters of the steps, in their order.
func clustersOf(steps []plan.Step) []string {
	var names []string
	for _, step := range steps {
		if !slices.Contains(names, step.Cluster) {
			names = append(names, step.Cluster)
		}
	}
	return names
}
