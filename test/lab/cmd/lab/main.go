// Command lab runs real Kubernetes clusters on this machine; see the package lab.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/kubectl-mesh/kubectl-mesh/test/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := root(os.Stdout, os.Stderr).ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// app is what the commands share: which lab, and where to write.
type app struct {
	name     string
	out, err io.Writer
}

func root(out, err io.Writer) *cobra.Command {
	a := &app{out: out, err: err}
	command := &cobra.Command{
		Use:           "lab",
		Short:         "Real Kubernetes clusters on one Linux machine, without Docker",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	command.SetOut(out)
	command.SetErr(err)
	name := "lab"
	if set := os.Getenv("LAB"); set != "" {
		name = set
	}
	command.PersistentFlags().StringVar(&a.name, "lab", name, "the lab's name; several can run side by side (LAB)")
	command.AddCommand(a.build(), a.up(), a.down(), a.status(), a.env(), a.reset(), a.loadBalancer(), a.processors(), a.push(), a.logs(), a.serve())
	command.AddCommand(a.faults()...)
	return command
}

// run makes a command's function of one that gets the lab.
func (a *app) run(do func(cmd *cobra.Command, l *lab.Lab, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		l, err := lab.New(a.name, a.err)
		if err != nil {
			return err
		}
		return do(cmd, l, args)
	}
}

func (a *app) build() *cobra.Command {
	return &cobra.Command{
		Use: "build", Short: "Make all programs and images that the clusters run", Args: cobra.NoArgs,
		RunE: a.run(func(cmd *cobra.Command, l *lab.Lab, _ []string) error { return l.Build(cmd.Context()) }),
	}
}

func (a *app) up() *cobra.Command {
	var options lab.UpOptions
	var nodeless bool
	var output string
	command := &cobra.Command{
		Use: "up", Short: "Start the clusters, or add what is missing", Args: cobra.NoArgs,
		RunE: a.run(func(cmd *cobra.Command, l *lab.Lab, _ []string) error {
			if nodeless {
				options.NodelessFrom = 1
			}
			if err := l.Up(cmd.Context(), options); err != nil {
				return err
			}
			to := a.err
			if output != "" {
				to = a.out
			}
			return printStatus(cmd.Context(), l, to, output)
		}),
	}
	flags := command.Flags()
	flags.IntVar(&options.Clusters, "clusters", 2, "how many clusters")
	flags.BoolVar(&nodeless, "nodeless", false, "clusters without nodes: etcd, API server and controller manager alone")
	flags.IntVar(&options.NodelessFrom, "nodeless-from", 0, "the number of the first cluster without a node")
	flags.StringToStringVar(&options.Networks, "network", nil, "CLUSTER=NETWORK, if it is not network1; repeatable")
	flags.StringSliceVar(&options.AggregatorRouting, "aggregator-routing", nil, "clusters whose API server runs with --enable-aggregator-routing, as EKS's and k3s's do; up without it takes that back")
	flags.StringSliceVar(&options.SharedCA, "shared-ca", nil, "clusters whose API servers have certificates of one CA, as those of a company may")
	flags.StringVarP(&output, "output", "o", "", "json, for programs")
	return command
}

func (a *app) down() *cobra.Command {
	return &cobra.Command{
		Use: "down", Short: "End the lab, and those of tests under its name, and remove all they have left, whatever state they are in", Args: cobra.NoArgs,
		RunE: a.run(func(cmd *cobra.Command, l *lab.Lab, _ []string) error { return l.DownAll(cmd.Context()) }),
	}
}

func (a *app) status() *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: "status", Short: "Show the clusters and what does not run", Args: cobra.NoArgs,
		RunE: a.run(func(cmd *cobra.Command, l *lab.Lab, _ []string) error {
			return printStatus(cmd.Context(), l, a.out, output)
		}),
	}
	command.Flags().StringVarP(&output, "output", "o", "", "json, for programs")
	return command
}

func printStatus(ctx context.Context, l *lab.Lab, to io.Writer, format string) error {
	status, err := l.Status(ctx)
	if err != nil {
		return err
	}
	switch format {
	case "":
		return status.Print(to)
	case "json":
		encoder := json.NewEncoder(to)
		encoder.SetIndent("", "  ")
		return encoder.Encode(status)
	}
	return errors.New("the output can be json, or left out")
}

func (a *app) serve() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Hidden: true, Short: "Serve the lab; up starts this", Args: cobra.NoArgs,
		RunE: a.run(func(cmd *cobra.Command, l *lab.Lab, _ []string) error { return l.Serve(cmd.Context(), a.err) }),
	}
}

func (a *app) env() *cobra.Command {
	return &cobra.Command{
		Use: "env", Short: "Print what makes a shell use the lab: eval \"$(lab env)\"", Args: cobra.NoArgs,
		RunE: a.run(func(_ *cobra.Command, l *lab.Lab, _ []string) error {
			return l.PrintEnvironment(a.out)
		}),
	}
}

func (a *app) reset() *cobra.Command {
	var fresh bool
	command := &cobra.Command{
		Use: "reset [CLUSTER...]", Short: "Take clusters (all, if none is named) back to what they were after up",
		RunE: a.run(func(cmd *cobra.Command, l *lab.Lab, args []string) error {
			return l.Reset(cmd.Context(), args, fresh)
		}),
	}
	command.Flags().BoolVar(&fresh, "fresh", false, "make them anew from nothing")
	return command
}

func (a *app) loadBalancer() *cobra.Command {
	return &cobra.Command{
		Use: "lb CLUSTER ip|hostname|hostnames|none", Short: "Change what the load balancer of a cluster gives",
		Args: cobra.ExactArgs(2), ValidArgs: []string{"ip", "hostname", "hostnames", "none"},
		RunE: a.run(func(cmd *cobra.Command, l *lab.Lab, args []string) error {
			return l.SetLoadBalancer(cmd.Context(), args[0], lab.LoadBalancerMode(args[1]))
		}),
	}
}

func (a *app) processors() *cobra.Command {
	return &cobra.Command{
		Use: "cpu CLUSTER PROCESSORS", Short: "Hold what runs of a cluster to so many processors, as in 0.5; 0 takes that back",
		Args: cobra.ExactArgs(2),
		RunE: a.run(func(_ *cobra.Command, l *lab.Lab, args []string) error {
			processors, err := strconv.ParseFloat(args[1], 64)
			if err != nil {
				return fmt.Errorf("%q is no number of processors", args[1])
			}
			return l.SetProcessors(args[0], processors)
		}),
	}
}

func (a *app) push() *cobra.Command {
	return &cobra.Command{
		Use: "push IMAGE=PROGRAM...", Short: "Add images of one static program each to the lab's registry",
		Args: cobra.MinimumNArgs(1),
		RunE: a.run(func(cmd *cobra.Command, l *lab.Lab, args []string) error {
			for _, arg := range args {
				image, program, found := strings.Cut(arg, "=")
				if !found {
					return fmt.Errorf("%q is not IMAGE=PROGRAM", arg)
				}
				if err := l.Push(cmd.Context(), image, program); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}

func (a *app) logs() *cobra.Command {
	var save string
	command := &cobra.Command{
		Use: "logs CLUSTER COMPONENT | logs --save FOLDER", Short: "Print a component's log (the lab's own: hub serve), or save all",
		Args: cobra.MaximumNArgs(2),
		RunE: a.run(func(_ *cobra.Command, l *lab.Lab, args []string) error {
			if save != "" {
				return l.SaveLogs(save)
			}
			if len(args) != 2 {
				return errors.New("which cluster, and which component? Or --save FOLDER")
			}
			path, err := l.Log(args[0], args[1])
			if err != nil {
				return err
			}
			log, err := os.Open(path)
			if err != nil {
				return err
			}
			defer log.Close()
			_, err = io.Copy(a.out, log)
			return err
		}),
	}
	command.Flags().StringVar(&save, "save", "", "copy the logs of all components and pods to this folder")
	return command
}

// faults are the commands that break a cluster, and fix it.
func (a *app) faults() []*cobra.Command {
	command := func(name, short string, do func(ctx context.Context, l *lab.Lab, cluster, component string) error) *cobra.Command {
		return &cobra.Command{
			Use: name + " CLUSTER COMPONENT", Short: short, Args: cobra.ExactArgs(2),
			RunE: a.run(func(cmd *cobra.Command, l *lab.Lab, args []string) error {
				return do(cmd.Context(), l, args[0], args[1])
			}),
		}
	}
	return []*cobra.Command{
		command("stop", "End a component", func(ctx context.Context, l *lab.Lab, cluster, component string) error {
			return l.Stop(ctx, cluster, component)
		}),
		command("start", "Start a component that was stopped", func(ctx context.Context, l *lab.Lab, cluster, component string) error {
			return l.Start(ctx, cluster, component)
		}),
		command("pause", "Let a component hang", func(_ context.Context, l *lab.Lab, cluster, component string) error {
			return l.Pause(cluster, component)
		}),
		command("resume", "Let a paused component go on", func(_ context.Context, l *lab.Lab, cluster, component string) error {
			return l.Resume(cluster, component)
		}),
	}
}
