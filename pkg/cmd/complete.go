package cmd

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// completionTimeout bounds what completion asks a cluster for: somebody waits at a half-typed line.
const completionTimeout = 2 * time.Second

// completeContexts completes a flag's value with the kubeconfig's contexts.
func (g *global) completeContexts(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	contexts, _, err := g.session().Contexts()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return beginning(contexts, word), cobra.ShellCompDirectiveNoFileComp
}

// beginning keeps the candidates that a half-typed word may become.
func beginning(candidates []cobra.Completion, word string) []cobra.Completion {
	return slices.DeleteFunc(candidates, func(c cobra.Completion) bool { return !strings.HasPrefix(c, word) })
}

// completeClusters completes CONTEXT or NAME=CONTEXT with the contexts that are neither given yet nor the primary's.
func (g *global) completeClusters(_ *cobra.Command, given []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	contexts, primary, err := g.session().Contexts()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	name, _, named := strings.Cut(word, "=")
	var left []cobra.Completion
	for _, candidate := range contexts {
		taken := slices.ContainsFunc(given, func(arg string) bool { return arg == candidate || strings.HasSuffix(arg, "="+candidate) })
		switch {
		case candidate == primary || taken:
		case named && !strings.HasPrefix(candidate, word): // a context's name may have an equals sign of its own
			left = append(left, name+"="+candidate)
		default:
			left = append(left, candidate)
		}
	}
	return beginning(left, word), cobra.ShellCompDirectiveNoFileComp
}

// completeRemotes completes with the contexts that lead to clusters which are attached to the primary; with all, if the
// primary does not tell.
func (g *global) completeRemotes(c *cobra.Command, given []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	contexts, directive := g.completeClusters(c, given, word)
	ctx, cancel := context.WithTimeout(c.Context(), completionTimeout)
	defer cancel()
	attached, err := g.session().AttachedContexts(ctx)
	if err != nil {
		return contexts, directive
	}
	var left []cobra.Completion
	for _, a := range attached {
		if slices.Contains(contexts, a.Context) {
			left = append(left, a.Context+"\tattached as "+a.Cluster)
		}
	}
	return left, directive
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

// completeFiles completes with the names of files that end so.
func completeFiles(extensions ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return extensions, cobra.ShellCompDirectiveFilterFileExt
	}
}

// completeFolders completes with the names of folders.
func completeFolders(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// mustComplete registers completions of flags. It fails only for a flag that there is not, or one that has some already.
func mustComplete(c *cobra.Command, flags map[string]cobra.CompletionFunc) {
	for flag, complete := range flags {
		if err := c.RegisterFlagCompletionFunc(flag, complete); err != nil {
			panic(err)
		}
	}
}
