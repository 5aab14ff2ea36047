package cmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
)

// helpWidth is how wide help is: what every terminal shows.
const helpWidth = 80

// long lays out a command's description: paragraphs, parted by empty lines, wrapped to helpWidth.
func long(text string) string {
	var paragraphs []string
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		paragraphs = append(paragraphs, report.Wrap(paragraph, helpWidth))
	}
	return strings.Join(paragraphs, "\n\n")
}

// usageTemplate is cobra's, with the flags wrapped, and a word on those that are not shown.
func usageTemplate(cobras string) string {
	return strings.ReplaceAll(cobras, "Flags.FlagUsages", fmt.Sprintf("Flags.FlagUsagesWrapped %d", helpWidth)) +
		"{{if .HasAvailableInheritedFlags}}\nUse \"kubectl mesh options\" for more flags that every command takes.\n{{end}}"
}

// hideRareFlags leaves in the commands' help those of kubectl's flags that most people need; `options` shows them all.
func hideRareFlags(flags *pflag.FlagSet) {
	common := map[string]bool{
		"context": true, "kubeconfig": true, "namespace": true, "as": true, "request-timeout": true, "verbose": true, "no-color": true,
	}
	flags.VisitAll(func(f *pflag.Flag) { f.Hidden = !common[f.Name] })
}

func newOptions(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "options",
		Short: "Print the flags that every command takes",
		Example: templates.Examples(`
			kubectl mesh options`),
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			all := pflag.NewFlagSet("", pflag.ContinueOnError)
			root.PersistentFlags().VisitAll(func(f *pflag.Flag) {
				shown := *f
				shown.Hidden = false
				all.AddFlag(&shown)
			})
			_, err := fmt.Fprint(c.OutOrStdout(), "These can be given to any command:\n\n", all.FlagUsagesWrapped(helpWidth))
			return err
		},
	}
}
