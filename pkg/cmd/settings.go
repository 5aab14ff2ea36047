package cmd

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// given are the settings that this run is told.
func (o *options) given() istio.Given {
	changed := func(flag string) bool { return o.changed != nil && o.changed(flag) }
	told := istio.Given{
		Overlay: changed("filename"), Hub: changed("hub"), Tag: changed("tag"), Profile: changed("profile"), Manifests: changed("manifests"),
	}
	for flag, paths := range map[string][]string{
		"hub": {"hub", "values.global.hub"}, "tag": {"tag", "values.global.tag"}, "profile": {"profile"},
		"mesh-id": {"values.global.meshID"}, "network": {"values.global.network"}, "cluster-name": {"values.global.multiCluster.clusterName"},
	} {
		if changed(flag) {
			told.Paths = append(told.Paths, paths...)
		}
	}
	return told
}

// keep are the charts with the settings of this run and those that the cluster's last run was told and this one is not,
// by name. A cluster that does not answer has none: the checks say so.
func (o *options) keep(ctx context.Context, s *session, key, set string) (charts istio.Charts, kept []string, err error) {
	connected, seen := s.clusters[key], s.snapshot.Clusters[key]
	if o.resetSettings || connected == nil || seen == nil {
		return o.charts, nil, nil
	}
	if _, silent := seen.CouldNotRead(snapshot.APIServer); silent {
		return o.charts, nil, nil
	}
	record, err := istio.ReadRecord(ctx, connected.Kube(), s.mesh.Namespace, set)
	if err != nil {
		return o.charts, nil, fmt.Errorf("cluster %s: %w", connected.Name, err)
	}
	charts, kept, err = o.charts.Keep(record, o.given())
	if err != nil {
		return o.charts, nil, usage("cluster %s: %w", connected.Name, err)
	}
	if len(kept) > 0 {
		if err := charts.Validate(); err != nil {
			return o.charts, nil, usage("cluster %s: the settings of the last run with those of this one: %w\n--reset-settings goes back to the defaults", connected.Name, err)
		}
	}
	return charts, kept, nil
}

// keepAll keeps the settings of the clusters of a role, and says which.
func (o *options) keepAll(ctx context.Context, s *session, role mesh.Role, set string) error {
	var clusters []mesh.Cluster
	for _, c := range s.mesh.Clusters {
		if c.Role == role {
			clusters = append(clusters, c)
		}
	}
	charts, kept := make([]istio.Charts, len(clusters)), make([][]string, len(clusters))
	var readers errgroup.Group
	for i, c := range clusters {
		readers.Go(func() (err error) {
			charts[i], kept[i], err = o.keep(ctx, s, c.Name, set)
			return err
		})
	}
	if err := readers.Wait(); err != nil {
		return err
	}
	s.settings = map[string]istio.Charts{}
	for i, c := range clusters {
		s.settings[c.Name] = charts[i]
		o.sayKept(c.Name, kept[i])
	}
	return nil
}

// sayKept says what of the last run's settings holds.
func (o *options) sayKept(cluster string, kept []string) {
	if len(kept) > 0 {
		fmt.Fprintf(o.ErrOut, "%s: keeping the settings of the last run: %s. --reset-settings goes back to the defaults.\n", cluster, strings.Join(kept, ", "))
	}
}

// chooseRevision settles on which of the primary's revisions the command is about, where it is not told.
func (s *session) chooseRevision() error {
	seen := s.snapshot.Clusters[plan.PrimaryKey]
	if seen == nil {
		return nil
	}
	revision, err := plan.ChooseRevision(s.mesh, seen)
	if err != nil {
		return usage("%w", err)
	}
	s.mesh.Revision = revision
	return nil
}
