package observe

import (
	"context"
	"net/http"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Clocks returns the snapshot with the clock of every API server that answers.
func Clocks(ctx context.Context, clusters cluster.Set, s *snapshot.Snapshot) *snapshot.Snapshot {
	var (
		asked sync.WaitGroup
		found findings
	)
	for name, c := range clusters {
		if seen := s.Clusters[name]; seen != nil && reached(seen) {
			asked.Go(func() { addClock(ctx, c, name, seen, &found) })
		}
	}
	asked.Wait()
	return found.with(s)
}

// addClock compares the API server's clock with this machine's, by the date that HTTP answers carry.
func addClock(ctx context.Context, c *cluster.Cluster, name string, seen *snapshot.Cluster, found *findings) {
	ctx, cancel := context.WithTimeout(ctx, oneCall)
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
		clock := &snapshot.Clock{Ahead: int(time.Until(date).Round(time.Second).Seconds())}
		found.add(name, func(c *snapshot.Cluster) { c.Clock = clock })
	}
}
