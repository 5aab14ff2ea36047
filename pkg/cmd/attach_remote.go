package cmd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

type attachRemote struct {
	*options
	network string
	servers []string
	restart bool
	// unconnected attaches remotes of a network to which no call crosses.
	unconnected bool
}

func newAttachRemote(o *options) *cobra.Command {
	a := &attachRemote{options: o}
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
		Args:              aRemote,
		ValidArgsFunction: a.completeClusters,
		RunE:              func(c *cobra.Command, args []string) error { return a.run(c.Context(), args) },
	}
	o.addWriteFlags(c)
	o.addChartFlags(c)
	f := c.Flags()
	f.StringVar(&a.network, "network", "", "The network of the remotes' pods (default: the primary's)")
	f.BoolVar(&a.unconnected, "allow-unconnected-network", false, "Attach remotes although no call crosses between their network and the primary's")
	f.StringArrayVar(&a.servers, "remote-server", nil, "Address by which the primary reaches the remote's API server, as URL or NAME=URL (default: the kubeconfig's)")
	f.BoolVar(&a.restart, "restart-istiod", true, "Restart istiod, replica by replica, where it has stopped processing remote secrets; without this the command ends there")
	return c
}

func (a *attachRemote) run(ctx context.Context, args []string) error {
	ctx, cancel := bounded(ctx, a.timeout)
	defer cancel()
	if err := a.objects.validate(); err != nil {
		return err
	}
	if err := a.charts.Validate(); err != nil {
		return usage("%w", err)
	}
	if err := a.charts.ValidateRemote(); err != nil {
		return usage("%w", err)
	}
	if err := mesh.ValidateNetwork(a.network); err != nil {
		return usage("%w", err)
	}
	m, err := a.newMesh(args)
	if err != nil {
		return err
	}
	if err := a.addServers(m.Clusters); err != nil {
		return err
	}
	m.Unconnected = a.unconnected
	for i := range m.Clusters {
		if m.Clusters[i].Role == mesh.Remote {
			m.Clusters[i].Network = a.network
		}
	}
	s, err := a.look(ctx, m, plan.AttachRemote)
	if err != nil {
		return err
	}
	if err := s.complete(); err != nil {
		return err
	}
	if err := a.refuse(check.BeforeAttach, s); err != nil {
		return err
	}
	if err := s.mesh.Validate(); err != nil {
		return usage("%w", err)
	}
	a.remark(s)
	if err := a.keepAll(ctx, s, mesh.Remote, wellknown.Revisioned(istio.RemoteSet, s.mesh.Revision)); err != nil {
		return err
	}
	steps := plan.Slice(plan.Build(s.mesh, s.snapshot, plan.Options{Wait: a.wait, KeepIstiod: !a.restart}), plan.AttachRemote)
	if a.objects.dry() {
		return a.showDryRun(ctx, s, steps)
	}
	outcome, err := a.carryOut(ctx, s, steps)
	if err != nil {
		return err
	}
	return a.summary(s, steps, outcome)
}

// remark says which remotes go by another name than their context's, and which are given another address than before.
func (a *attachRemote) remark(s *session) {
	names := slices.Sorted(maps.Keys(s.recorded))
	for _, was := range names {
		fmt.Fprintf(a.ErrOut, "%s is attached as %s already, and keeps that name.\n", was, s.recorded[was])
	}
	primary, _ := s.mesh.Primary()
	seen := s.snapshot.Clusters[primary.Name]
	for _, c := range s.mesh.Remotes() {
		for _, secret := range seen.RemoteSecrets {
			if there := s.snapshot.Clusters[c.Name]; secret.Cluster == c.Name && c.Server == "" && secret.Unidentified != nil && !snapshot.SameServer(secret.Server, there.Server) {
				fmt.Fprintf(a.ErrOut, "%s: the address that %s has for it, %s, does not work (%s): it is given the kubeconfig's, %s.\n",
					c.Name, primary.Name, secret.Server, report.Plain(secret.Unidentified.Error), there.Server)
			}
		}
	}
}

// addServers reads --remote-server, as URL for a single remote or NAME=URL for one of several.
func (a *attachRemote) addServers(clusters []mesh.Cluster) error {
	for _, given := range a.servers {
		name, server, named := strings.Cut(given, "=")
		if !named {
			name, server = "", given
		}
		parsed, err := url.Parse(server)
		if err != nil || parsed.Scheme != "https" || parsed.Host == "" {
			return usage("--remote-server %q is not an address such as https://10.0.0.1:6443", server)
		}
		matched := 0
		for i := range clusters {
			if clusters[i].Role == mesh.Remote && (name == "" || clusters[i].Name == name) {
				clusters[i].Server = server
				matched++
			}
		}
		if name == "" && matched > 1 {
			return usage("--remote-server is for one cluster, and %d are given: use NAME=URL", matched)
		}
		if matched == 0 {
			return usage("--remote-server names cluster %q, which is not among those given", name)
		}
	}
	return nil
}

// summary says of each remote what became of it.
func (a *attachRemote) summary(s *session, steps []plan.Step, outcome run.Outcome) error {
	primary, _ := s.mesh.Primary()
	var attached, failed []string
	for _, remote := range s.mesh.Remotes() {
		if done(remote.Name, steps, outcome) {
			attached = append(attached, remote.Name)
		} else {
			failed = append(failed, remote.Name)
		}
	}
	switch {
	case len(attached) > 0 && !outcome.Wrote && len(failed) == 0:
		fmt.Fprintf(a.said(), "Already attached to %s: %s. Nothing was written.\n", primary.Name, strings.Join(attached, ", "))
	case len(attached) > 0:
		fmt.Fprintf(a.said(), "Attached to %s: %s.\n", primary.Name, strings.Join(attached, ", "))
	}
	if len(failed) > 0 && len(attached) > 0 {
		fmt.Fprintf(a.said(), "Not attached: %s.\n", strings.Join(failed, ", "))
	}
	if err := failure(outcome, steps); err != nil {
		return err
	}
	if len(failed) > 0 {
		return errors.New("not every cluster was attached")
	}
	if probePublished {
		fmt.Fprintf(a.said(), "Next: %s\n", a.next(s.mesh, "verify", "--traffic"))
		return nil
	}
	fmt.Fprintf(a.said(), "Next: %s\n", a.next(s.mesh, "verify"))
	fmt.Fprintln(a.said(), "With --traffic and --probe-image it also sends requests from cluster to cluster; make probe builds the program for that image.")
	return nil
}

// done is true when every step about a remote is done.
func done(remote string, steps []plan.Step, outcome run.Outcome) bool {
	for _, step := range steps {
		if step.Concerns(remote) && outcome.Steps[step.ID] != run.Done {
			return false
		}
	}
	return true
}
