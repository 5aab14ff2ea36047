package app

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
)

// InstallPrimary asks for a primary. What is left empty comes from the charts' settings, else from the primary if there is
// one already, else it is a default.
type InstallPrimary struct {
	MeshID, Network, ClusterName string
	// ConvertRemote is the name of another primary's remote that is made a primary.
	ConvertRemote string
}

// Installation is a primary that is about to be installed.
type Installation struct {
	*Prepared
	// Adopted is true where another tool has installed a control plane that can be a primary: nothing is to be done.
	Adopted bool
	// Release is the control plane's.
	Release string
}

// PrepareInstall looks at the cluster that is to be the primary, and plans what makes it one.
func (s Session) PrepareInstall(ctx context.Context, request InstallPrimary) (*Installation, error) {
	charts := s.Settings.Charts
	if err := charts.Validate(); err != nil {
		return nil, usage("%w", err)
	}
	given, err := charts.UserSettings()
	if err != nil {
		return nil, usage("%w", err)
	}
	if err := charts.ValidateProfile(cmp.Or(charts.Profile, given.Profile)); err != nil {
		return nil, usage("%w", err)
	}
	s.Revision = cmp.Or(s.Revision, given.Revision)
	if err := request.validateNames(given); err != nil {
		return nil, err
	}
	m, err := s.newMesh(nil)
	if err != nil {
		return nil, err
	}
	stages := []plan.Stage{plan.InstallPrimary}
	if request.ConvertRemote != "" {
		stages = append(stages, plan.ConvertRemote)
	}
	st, err := s.look(ctx, m, scope{stages: stages})
	if err != nil {
		return nil, err
	}
	if err := st.chooseRevision(); err != nil {
		return nil, err
	}
	charts, kept, unread := s.keep(ctx, st, st.primaryKey, wellknown.Revisioned(istio.PrimarySet, st.mesh.Revision))
	if given, err = charts.UserSettings(); err != nil {
		return nil, usage("%w", err)
	}
	request.identify(st, given)
	if err := st.mesh.Validate(); err != nil {
		return nil, usage("%w", err)
	}
	if _, err := st.complete(); err != nil {
		return nil, err
	}
	if err := request.convert(st); err != nil {
		return nil, err
	}
	if err := s.gate(check.BeforeInstall, st); err != nil {
		return nil, err
	}
	if unread != nil {
		return nil, unread
	}
	options := plan.Options{Profile: cmp.Or(charts.Profile, given.Profile), Wait: s.Write.Wait}
	steps := plan.Slice(plan.Build(st.mesh, st.snapshot, options), stages...)
	var all []KeptSettings
	if len(kept) > 0 {
		all = []KeptSettings{{Cluster: st.primaryKey, Settings: kept}}
	}
	// What another tool applies of files that were written here can be written, and compared, again.
	ofFiles := s.Write.dry() && facts.Rendered(st.mesh, st.snapshot)
	return &Installation{
		Prepared: s.prepare(st, steps, map[string]istio.Charts{st.primaryKey: charts}, all),
		Adopted:  facts.Adopted(st.mesh, st.snapshot) && !ofFiles,
		Release:  cmp.Or(charts.Tag, charts.Release()),
	}, nil
}

// validateNames refuses names of which no mesh can be made; those that are not given come from the primary.
func (i InstallPrimary) validateNames(given istio.UserSettings) error {
	problems := []error{
		mesh.ValidateMeshID(cmp.Or(i.MeshID, given.MeshID)),
		mesh.ValidateNetwork(cmp.Or(i.Network, given.Network)),
	}
	if name := cmp.Or(i.ClusterName, given.Cluster); name != "" {
		problems = append(problems, mesh.ValidateClusterName(name))
	}
	if err := errors.Join(problems...); err != nil {
		return usage("%w", err)
	}
	return nil
}

// identify gives the primary its name, mesh and network: the request's, else the settings', else those with which it was
// installed before, else the defaults.
func (i InstallPrimary) identify(st *state, given istio.UserSettings) {
	meshID := given.MeshID
	var was mesh.Cluster
	if seen := st.primary(); seen != nil {
		if plane, found := seen.ControlPlane(st.mesh.RevisionLabel()); found {
			meshID = cmp.Or(meshID, plane.MeshID)
			was = mesh.Cluster{Name: plane.ClusterID, Network: plane.Network}
		}
	}
	if was.Name == mesh.UnnamedCluster {
		was.Name = ""
	}
	st.mesh.ID = cmp.Or(i.MeshID, meshID, "mesh1")
	primary := st.mesh.Clusters[0]
	primary.Name = cmp.Or(i.ClusterName, given.Cluster, was.Name, mesh.ClusterName(primary.Context))
	primary.Network = cmp.Or(i.Network, given.Network, was.Network)
	st.mesh.Clusters = []mesh.Cluster{primary}
}

// convert lets another primary's remote become a primary, if the request has its name: that of its context, or the one
// that it has as a remote.
func (i InstallPrimary) convert(st *state) error {
	primary, _ := st.mesh.Primary()
	seen := st.primary()
	if i.ConvertRemote == "" || seen == nil {
		return nil
	}
	names := append([]string{primary.Name, primary.Context}, seen.InjectedNames()...)
	if !slices.Contains(names, i.ConvertRemote) {
		return usage("--convert-remote %q is not this cluster, which is %s", i.ConvertRemote, primary.Name)
	}
	if _, signs := facts.RemoteOf(seen); len(signs) > 0 { // later runs find a primary
		st.mesh.Clusters[0].Converted = true
	}
	return nil
}
