package cmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/app"
)

type installPrimary struct {
	write   writing
	request app.InstallPrimary
}

func newInstallPrimary(g *global) *cobra.Command {
	i := &installPrimary{write: writing{global: g}}
	c := &cobra.Command{
		Use:   "install-primary",
		Short: "Install a control plane that may manage remote clusters",
		Long: long(`
			Install Istio's control plane in the cluster of --context, with the identities and settings that a mesh of
			several clusters stands on, and wait until it injects sidecars.

			Settings that an earlier run was told (-f, --set, --hub, --tag, --profile) and this one is not are kept, and
			named; --reset-settings goes back to the defaults.

			A control plane that another tool installed is never touched: if it can be a primary it is left as it is,
			otherwise the missing settings are named, with the way to set them.`),
		Example: templates.Examples(`
			# Install the primary of mesh1 on network1
			kubectl mesh install-primary --context east --network network1

			# Name the mesh and the cluster, and add settings of your own
			kubectl mesh install-primary --context east --mesh-id shop --cluster-name east --network eu -f istio.yaml

			# Beside the default control plane, under a revision of its own
			kubectl mesh install-primary --context east --revision canary`),
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return i.run(c.Context()) },
	}
	i.write.addFlags(c)
	f := c.Flags()
	f.StringVar(&i.request.MeshID, "mesh-id", "", "The mesh's id (default mesh1)")
	f.StringVar(&i.request.Network, "network", "", "The network of the cluster's pods: clusters of one network reach each other's pods directly")
	f.StringVar(&i.request.ClusterName, "cluster-name", "", "The cluster's name in the mesh (default: the context, made into a valid name)")
	f.StringVar(&i.request.ConvertRemote, "convert-remote", "", "Make a primary of this cluster although it is another primary's remote; give its name")
	f.StringVar(&i.write.charts.Profile, "profile", "", "Istio's profile (default minimal: the control plane alone)")
	f.StringVar(&i.write.charts.Hub, "hub", "", "Where images come from (default the release's own)")
	f.StringVar(&i.write.charts.Tag, "tag", "", "The images' tag (default the release's own)")
	return c
}

func (i *installPrimary) run(ctx context.Context) error {
	ctx, cancel := bounded(ctx, i.write.timeout)
	defer cancel()
	if err := i.write.objects.validate(); err != nil {
		return err
	}
	prepared, err := i.write.session().PrepareInstall(ctx, i.request)
	if err != nil {
		return err
	}
	out, primary, m := i.write.summaryOut(), prepared.Primary(), prepared.Mesh
	then := i.write.global.next(m, "expose-istiod")
	if prepared.Adopted {
		fmt.Fprintf(out, "%s has a control plane that can be a primary, installed by another tool: it is left as it is.\nNext: %s\n", primary.Name, then)
		return nil
	}
	i.write.printKept(prepared.KeptSettings)
	outcome, err := i.write.carryOut(ctx, prepared.Prepared)
	if err != nil {
		return err
	}
	if err := outcome.Err(); err != nil || i.write.objects.dry() {
		return err
	}
	if !outcome.Run.Wrote {
		fmt.Fprintf(out, "%s is already the primary of mesh %s: nothing was written.\nNext: %s\n", primary.Name, m.ID, then)
		return nil
	}
	fmt.Fprintf(out, "%s is the primary of mesh %s (Istio %s%s).\nNext: %s\n", primary.Name, m.ID, prepared.Release, networkSuffix(primary.Network), then)
	return nil
}

func networkSuffix(network string) string {
	if network == "" {
		return ""
	}
	return ", " + network
}
