package app

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Settings are the user's settings for the charts.
type Settings struct {
	// Charts are those of this run.
	Charts istio.Charts
	// Given says which of them this run is told.
	Given istio.Given
	// Reset forgets those of the last run; without it, those that this run is not told are kept.
	Reset bool
}

// KeptSettings are what holds of a cluster's settings of the last run, by name.
type KeptSettings struct {
	Cluster  string
	Settings []string
}

// keep are the charts with the settings of this run and those that the cluster's last run was told and this one is not,
// by name. A cluster that does not answer has none: the checks say so.
func (s Session) keep(ctx context.Context, st *state, key, set string) (charts istio.Charts, kept []string, err error) {
	charts = s.Settings.Charts
	connected, seen := st.clusters[key], st.snapshot.Clusters[key]
	if s.Settings.Reset || connected == nil || seen == nil {
		return charts, nil, nil
	}
	if _, silent := seen.CouldNotRead(snapshot.APIServer); silent {
		return charts, nil, nil
	}
	record, err := istio.ReadRecord(ctx, connected.Kube(), st.mesh.Namespace, set)
	if err != nil {
		return charts, nil, fmt.Errorf("cluster %s: %w", connected.Name, err)
	}
	all, kept, err := charts.Keep(record, s.Settings.Given)
	if err != nil {
		return charts, nil, usage("cluster %s: %w", connected.Name, err)
	}
	if len(kept) > 0 {
		if err := all.Validate(); err != nil {
			return charts, nil, usage("cluster %s: the settings of the last run with those of this one: %w\n--reset-settings goes back to the defaults", connected.Name, err)
		}
	}
	return all, kept, nil
}

// keepAll are the charts for the clusters of a role, by name, with what holds of the settings of their last runs.
func (s Session) keepAll(ctx context.Context, st *state, role mesh.Role, set string) (map[string]istio.Charts, []KeptSettings, error) {
	var clusters []mesh.Cluster
	for _, c := range st.mesh.Clusters {
		if c.Role == role {
			clusters = append(clusters, c)
		}
	}
	charts, kept := make([]istio.Charts, len(clusters)), make([][]string, len(clusters))
	var readers errgroup.Group
	for i, c := range clusters {
		readers.Go(func() (err error) {
			charts[i], kept[i], err = s.keep(ctx, st, c.Name, set)
			return err
		})
	}
	if err := readers.Wait(); err != nil {
		return nil, nil, err
	}
	settings := map[string]istio.Charts{}
	var all []KeptSettings
	for i, c := range clusters {
		settings[c.Name] = charts[i]
		if len(kept[i]) > 0 {
			all = append(all, KeptSettings{Cluster: c.Name, Settings: kept[i]})
		}
	}
	return settings, all, nil
}
