package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
)

type installPrimary struct {
	*options
	meshID, network, clusterName string
	// convert is the name of the remote that is made a primary.
	convert string
}

func newInstallPrimary(o *options) *cobra.Command {
	i := &installPrimary{options: o}
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
	o.addWriteFlags(c)
	o.addChartFlags(c)
	f := c.Flags()
	f.StringVar(&i.meshID, "mesh-id", "", "The mesh's id (default mesh1)")
	f.StringVar(&i.network, "network", "", "The network of the cluster's pods: clusters of one network reach each other's pods directly")
	f.StringVar(&i.clusterName, "cluster-name", "", "The cluster's name in the mesh (default: the context, made into a valid name)")
	f.StringVar(&i.convert, "convert-remote", "", "Make a primary of this cluster although it is another primary's remote; give its name")
	f.StringVar(&o.charts.Profile, "profile", "", "Istio's profile (default minimal: the control plane alone)")
	f.StringVar(&o.charts.Hub, "hub", "", "Where images come from (default the release's own)")
	f.StringVar(&o.charts.Tag, "tag", "", "The images' tag (default the release's own)")
	return c
}

func (i *installPrimary) run(ctx context.Context) error {
	ctx, cancel := bounded(ctx, i.timeout)
	defer cancel()
	if err := i.objects.validate(); err != nil {
		return err
	}
	if err := i.charts.Validate(); err != nil {
		return usage("%w", err)
	}
	given, err := i.charts.UserSettings()
	if err != nil {
		return usage("%w", err)
	}
	if err := i.charts.ValidateProfile(cmp.Or(i.charts.Profile, given.Profile)); err != nil {
		return usage("%w", err)
	}
	i.revision = cmp.Or(i.revision, given.Revision)
	if err := i.validateNames(given); err != nil {
		return err
	}
	m, err := i.newMesh(nil)
	if err != nil {
		return err
	}
	stages := []plan.Stage{plan.InstallPrimary}
	if i.convert != "" {
		stages = append(stages, plan.ConvertRemote)
	}
	s, err := i.look(ctx, m, stages...)
	if err != nil {
		return err
	}
	if err := s.chooseRevision(); err != nil {
		return err
	}
	charts, kept, unread := i.keep(ctx, s, plan.PrimaryKey, wellknown.Revisioned(istio.PrimarySet, s.mesh.Revision))
	if given, err = charts.UserSettings(); err != nil {
		return usage("%w", err)
	}
	s.mesh = i.withIdentity(s, given.MeshID, given.Network, given.Cluster)
	if err := s.mesh.Validate(); err != nil {
		return usage("%w", err)
	}
	if err := s.complete(); err != nil {
		return err
	}
	if err := i.convertRemote(s); err != nil {
		return err
	}
	if err := i.refuse(check.BeforeInstall, s); err != nil {
		return err
	}
	if unread != nil {
		return unread
	}
	primary, _ := s.mesh.Primary()
	s.settings = map[string]istio.Charts{primary.Name: charts}
	then := i.next(s.mesh, "expose-istiod")
	// What another hand applies of files that were written here can be written, and compared, again.
	ofFiles := i.objects.dry() && check.Rendered(s.mesh, s.snapshot)
	if check.Adopted(s.mesh, s.snapshot) && !ofFiles {
		fmt.Fprintf(i.said(), "%s has a control plane that can be a primary, installed by another tool: it is left as it is.\nNext: %s\n", primary.Name, then)
		return nil
	}
	i.sayKept(primary.Name, kept)
	options := plan.Options{Profile: cmp.Or(charts.Profile, given.Profile), Wait: i.wait}
	steps := plan.Slice(plan.Build(s.mesh, s.snapshot, options), stages...)
	if i.objects.dry() {
		return i.showDryRun(ctx, s, steps)
	}
	outcome, err := i.carryOut(ctx, s, steps)
	if err != nil {
		return err
	}
	if err := failure(outcome, steps); err != nil {
		return err
	}
	if !outcome.Wrote {
		fmt.Fprintf(i.said(), "%s is already the primary of mesh %s: nothing was written.\nNext: %s\n", primary.Name, s.mesh.ID, then)
		return nil
	}
	fmt.Fprintf(i.said(), "%s is the primary of mesh %s (Istio %s%s).\nNext: %s\n",
		primary.Name, s.mesh.ID, cmp.Or(charts.Tag, charts.Release()), networkSuffix(primary.Network), then)
	return nil
}

// validateNames refuses names of which no mesh can be made; those that are not given come from the primary.
func (i *installPrimary) validateNames(given istio.UserSettings) error {
	problems := []error{
		mesh.ValidateMeshID(cmp.Or(i.meshID, given.MeshID)),
		mesh.ValidateNetwork(cmp.Or(i.network, given.Network)),
	}
	if name := cmp.Or(i.clusterName, given.Cluster); name != "" {
		problems = append(problems, mesh.ValidateClusterName(name))
	}
	if err := errors.Join(problems...); err != nil {
		return usage("%w", err)
	}
	return nil
}

// withIdentity gives the primary its name, mesh and network: the flags', else the overlays', else those with which
// it was installed before, else the defaults.
func (i *installPrimary) withIdentity(s *session, meshID, network, name string) mesh.Mesh {
	m := s.mesh
	var was mesh.Cluster
	if seen := s.snapshot.Clusters[plan.PrimaryKey]; seen != nil {
		if plane, found := seen.ControlPlane(m.RevisionLabel()); found {
			meshID = cmp.Or(meshID, plane.MeshID)
			was = mesh.Cluster{Name: plane.ClusterID, Network: plane.Network}
		}
	}
	if was.Name == mesh.UnnamedCluster {
		was.Name = ""
	}
	m.ID = cmp.Or(i.meshID, meshID, "mesh1")
	primary := m.Clusters[0]
	primary.Name = cmp.Or(i.clusterName, name, was.Name, mesh.ClusterName(primary.Context))
	primary.Network = cmp.Or(i.network, network, was.Network)
	m.Clusters = []mesh.Cluster{primary}
	return m
}

// convertRemote lets another primary's remote become a primary, if --convert-remote says its name: that of its context, or
// the one that it has as a remote.
func (i *installPrimary) convertRemote(s *session) error {
	primary, _ := s.mesh.Primary()
	seen := s.snapshot.Clusters[primary.Name]
	if i.convert == "" || seen == nil {
		return nil
	}
	names := append([]string{primary.Name, primary.Context}, seen.InjectedNames()...)
	if !slices.Contains(names, i.convert) {
		return usage("--convert-remote %q is not this cluster, which is %s", i.convert, primary.Name)
	}
	if _, signs := check.RemoteOf(seen); len(signs) > 0 { // later runs find a primary
		s.mesh.Clusters[0].Converted = true
	}
	return nil
}

func networkSuffix(network string) string {
	if network == "" {
		return ""
	}
	return ", " + network
}
