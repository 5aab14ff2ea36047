package cmd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/app"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
)

type attachRemote struct {
	write   writing
	request app.AttachRemote
}

func newAttachRemote(g *global) *cobra.Command {
	a := &attachRemote{write: writing{global: g}}
	c := &cobra.Command{
		Use:   "attach-remote CONTEXT|NAME=CONTEXT ...",
		Short: "Attach clusters to the primary, as its remotes",
		Long: long(`
			Attach one or more clusters to the primary of --context: namespace and annotation, the remote profile, the
			account through which istiod reads the cluster and its credentials in the primary. Then wait until every
			istiod replica has read the cluster, its webhooks have istiod's certificate, and a pod gets its sidecar.

			Mesh id, revision, version and the gateway's address are found from the primary. Several clusters are
			attached at once; one that fails does not stop the others.`),
		Example: templates.Examples(`
			# Attach one cluster
			kubectl mesh attach-remote west --context east

			# Attach three at once, one under another name
			kubectl mesh attach-remote west south cluster-n=arn:aws:eks:eu-north-1:123456789012:cluster/north --context east

			# kind: give the address that the primary's pods reach the API server by
			kubectl mesh attach-remote kind-west --context kind-east --remote-server https://172.18.0.3:6443`),
		Args:              atLeastOneRemote,
		ValidArgsFunction: g.completeClusters,
		RunE:              func(c *cobra.Command, args []string) error { return a.run(c.Context(), args) },
	}
	a.write.addFlags(c)
	f := c.Flags()
	f.StringVar(&a.request.Network, "network", "", "The network of the remotes' pods (default: the primary's)")
	f.BoolVar(&a.request.AllowUnconnectedNetwork, "allow-unconnected-network", false, "Attach remotes although no call crosses between their network and the primary's")
	f.StringArrayVar(&a.request.Servers, "remote-server", nil, "Address by which the primary reaches the remote's API server, as URL or NAME=URL (default: the kubeconfig's)")
	f.BoolVar(&a.request.RestartIstiod, "restart-istiod", true, "Restart istiod, replica by replica, where it has stopped processing remote secrets; without this the command ends there")
	return c
}

func (a *attachRemote) run(ctx context.Context, args []string) error {
	ctx, cancel := bounded(ctx, a.write.timeout)
	defer cancel()
	if err := a.write.objects.validate(); err != nil {
		return err
	}
	a.request.Remotes = args
	prepared, err := a.write.session().PrepareAttach(ctx, a.request)
	if err != nil {
		return err
	}
	a.printNames(prepared)
	a.write.printKept(prepared.KeptSettings)
	outcome, err := a.write.carryOut(ctx, prepared.Prepared)
	if err != nil {
		return err
	}
	if a.write.objects.dry() {
		return outcome.Err()
	}
	return a.summary(prepared, outcome)
}

// printNames says which remotes go by another name than their context's, and which are given another address than before.
func (a *attachRemote) printNames(prepared *app.Attachment) {
	errOut := a.write.global.ErrOut
	for _, was := range slices.Sorted(maps.Keys(prepared.Recorded)) {
		fmt.Fprintf(errOut, "%s is attached as %s already, and keeps that name.\n", was, prepared.Recorded[was])
	}
	for _, server := range prepared.NewServers {
		fmt.Fprintf(errOut, "%s: the address that %s has for it, %s, does not work (%s): it is given the kubeconfig's, %s.\n",
			server.Remote, prepared.Primary().Name, server.Was, report.Plain(server.Error), server.Is)
	}
}

// summary says of each remote what became of it.
func (a *attachRemote) summary(prepared *app.Attachment, outcome app.Outcome) error {
	out, primary := a.write.summaryOut(), prepared.Primary()
	attached, failed := prepared.Attached(outcome)
	switch {
	case len(attached) > 0 && !outcome.Run.Wrote && len(failed) == 0:
		fmt.Fprintf(out, "Already attached to %s: %s. Nothing was written.\n", primary.Name, strings.Join(attached, ", "))
	case len(attached) > 0:
		fmt.Fprintf(out, "Attached to %s: %s.\n", primary.Name, strings.Join(attached, ", "))
	}
	if len(failed) > 0 && len(attached) > 0 {
		fmt.Fprintf(out, "Not attached: %s.\n", strings.Join(failed, ", "))
	}
	if err := outcome.Err(); err != nil {
		return err
	}
	if len(failed) > 0 {
		return errors.New("not every cluster was attached")
	}
	next := a.write.global.next
	if probePublished {
		fmt.Fprintf(out, "Next: %s\n", next(prepared.Mesh, "verify", "--traffic"))
		return nil
	}
	fmt.Fprintf(out, "Next: %s\n", next(prepared.Mesh, "verify"))
	fmt.Fprintln(out, "With --traffic and --probe-image it also sends requests from cluster to cluster; make probe builds the program for that image.")
	return nil
}
