// Package cmd has the commands: flags, completion, help, the choice of output, and exit codes. What they do is in pkg/app.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
)

// Main runs the command line and returns the exit code. args[0] is the program's own name.
func Main(ctx context.Context, args []string, streams genericiooptions.IOStreams) int {
	ctx, end := context.WithCancel(ctx)
	defer end()
	unread := func(err error) bool { return errors.Is(err, syscall.EPIPE) }
	out := &watchedOutput{Writer: streams.Out, lost: func(error) { end() }}
	errOut := &watchedOutput{Writer: streams.ErrOut, lost: func(err error) {
		if unread(err) {
			end()
		}
	}}
	streams.Out, streams.ErrOut = out, errOut
	root := NewRoot(streams) //nolint:contextcheck // cobra hands ctx to the command that runs
	root.SetArgs(args[1:])
	code := exitCode(ctx, root.ExecuteContext(ctx), errOut)
	switch failed := out.failed(); {
	case unread(failed), unread(errOut.failed()):
		return ExitUnread // as quietly as a program that the signal ends
	case failed != nil:
		fmt.Fprintln(errOut, "error: the output could not be written:", failed)
		return ExitFailed
	}
	return code
}

// displayName is what usage calls the program: as a plugin it is a word of kubectl's.
func displayName(program string) string {
	if strings.HasPrefix(filepath.Base(program), "kubectl-") {
		return "kubectl mesh"
	}
	return filepath.Base(program)
}

// plainAttr leaves time and level out of what is logged for a person at a terminal.
func plainAttr(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
		return slog.Attr{}
	}
	return a
}

// NewRoot makes the command `kubectl mesh` with all its subcommands.
func NewRoot(streams genericiooptions.IOStreams) *cobra.Command {
	root := &cobra.Command{
		Use:   "kubectl-mesh",
		Short: "Build and check an Istio mesh of several clusters",
		Long: long(`
			Build and check an Istio mesh that spans several Kubernetes clusters.

			One cluster, the primary, has the control plane; the others, its remotes, are managed by it. --context names
			the primary; the remotes are arguments, as CONTEXT or NAME=CONTEXT.

			Every command can be run again, after success or failure: it does what is left to do and writes nothing
			when nothing is.`),
		Example: templates.Examples(`
			# From two bare clusters to one mesh
			kubectl mesh install-primary --context east --network network1
			kubectl mesh expose-istiod --context east
			kubectl mesh attach-remote west --context east
			kubectl mesh verify --context east`),
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: displayName("kubectl-mesh")},
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          knownCommand,

		SuggestionsMinimumDistance: 2,
		RunE: func(c *cobra.Command, _ []string) error {
			return c.Help()
		},
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	root.SetFlagErrorFunc(flagError)

	g := &global{IOStreams: streams, kubeconfig: genericclioptions.NewConfigFlags(true), getenv: os.Getenv}
	namespace := mesh.DefaultNamespace
	g.kubeconfig.Namespace = &namespace
	g.kubeconfig.WrapConfigFn = func(config *rest.Config) *rest.Config {
		config.UserAgent = userAgent()
		return config
	}
	g.kubeconfig.AddFlags(root.PersistentFlags())
	root.PersistentFlags().Lookup("namespace").Usage = "Istio's namespace"
	root.PersistentFlags().Lookup("context").Usage = "The kubeconfig context of the primary cluster"
	root.PersistentFlags().BoolVar(&g.noColour, "no-color", false, "Do not colour the output; NO_COLOR in the environment means the same")
	root.PersistentFlags().BoolVarP(&g.verbose, "verbose", "v", false, "Say more about what is waited for and what is tried again")

	root.PersistentPreRun = func(c *cobra.Command, _ []string) {
		g.caller = callerOf(c)
		if g.verbose {
			c.SetContext(logr.NewContextWithSlogLogger(c.Context(), slog.New(slog.NewTextHandler(streams.ErrOut, &slog.HandlerOptions{ReplaceAttr: plainAttr}))))
		}
	}
	mustComplete(root, map[string]cobra.CompletionFunc{"context": g.completeContexts})
	hideRareFlags(root.PersistentFlags())

	root.AddCommand(
		newInstallPrimary(g),
		newExposeIstiod(g),
		newAttachRemote(g),
		newPreflight(g),
		newVerify(g),
		newStatus(g),
		newGraph(g),
		newCompletion(g),
		newVersion(g),
		newOptions(root),
	)
	root.SetUsageTemplate(usageTemplate(root.UsageTemplate()))
	wrapArgs(root)
	return root
}

// wrapArgs makes wrong arguments a matter of usage, with its exit code, for every command.
func wrapArgs(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usage("%w\nSee '%s --help'", err, c.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		wrapArgs(sub)
	}
}
