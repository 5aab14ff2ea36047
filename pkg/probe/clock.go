package probe

import (
	"context"
	"net/http"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Clocks asks every API server that answers for the time.
func Clocks(ctx context.Context, clusters cluster.Set, s *snapshot.Snapshot) {
	var asked sync.WaitGroup
	for name, c := range clusters {
		if seen := s.Clusters[name]; seen != nil && answers(seen) {
			asked.Go(func() { clock(ctx, c, seen) })
		}
	}
	asked.Wait()
}

// clock compares the API server's clock with this machine's, by the date that HTTP answers carry.
func clock(ctx context.Context, c *cluster.Cluster, seen *snapshot.Cluster) {
	ctx, cancel := context.WithTimeout(ctx, oneLook)
	defer cancel()
	client, err := rest.HTTPClientFor(c.CLIClient.RESTConfig()) // with retries
	if err != nil {
		return
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, seen.Server+"/version", http.NoBody)
	if err != nil {
		return
	}
	response, err := client.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		// The date is cut to the second.
		seen.Clock = &snapshot.Clock{Ahead: int(time.Until(date).Round(time.Second).Seconds())}
	}
}
