package cmd

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"
)

// kubectlShim is the program that kubectl (1.26 and later) asks for completions of `kubectl mesh`: it finds it in PATH
// as kubectl_complete-mesh and gives it the words so far.
const kubectlShim = `#!/bin/sh
# Completes "kubectl mesh": kubectl runs this from PATH under the name kubectl_complete-mesh.
exec kubectl mesh __complete "$@"
`

func newCompletion(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell|kubectl",
		Short: "Print the script that completes commands, contexts and check ids",
		Long: long(`
			Print what makes a shell complete this program's commands, flags, contexts, remotes and check ids.

			For "kubectl mesh" it takes kubectl's own completion, and a small program that kubectl asks: "completion
			kubectl" prints it, to be saved as kubectl_complete-mesh, executable, in a folder of PATH. The scripts for shells
			complete the program under its own name, kubectl-mesh.`),
		Example: templates.Examples(`
			# Complete "kubectl mesh", in any shell in which kubectl itself completes
			kubectl mesh completion kubectl > ~/.krew/bin/kubectl_complete-mesh && chmod +x ~/.krew/bin/kubectl_complete-mesh

			# Complete kubectl-mesh in this bash
			source <(kubectl mesh completion bash)`),
		Args:                  cobra.ExactArgs(1),
		ValidArgsFunction:     completeShells,
		DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, args []string) error {
			root := c.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(g.Out, true)
			case "zsh":
				return root.GenZshCompletion(g.Out)
			case "fish":
				return root.GenFishCompletion(g.Out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(g.Out)
			case "kubectl":
				_, err := fmt.Fprint(g.Out, kubectlShim)
				return err
			}
			return usage("there is no completion for %q; there is for bash, zsh, fish, powershell and kubectl", args[0])
		},
	}
}

func completeShells(_ *cobra.Command, given []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(given) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []cobra.Completion{"bash", "zsh", "fish", "powershell", "kubectl"}, cobra.ShellCompDirectiveNoFileComp
}
