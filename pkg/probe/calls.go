package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe/echo"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// callAll lets every ready probe call every cluster's, and the Service that is everywhere.
func (r *runner) callAll(ctx context.Context) {
	ready := slices.DeleteFunc(slices.Clone(r.Clusters), func(name string) bool { return r.traffic.Unready[name] != "" })
	targets := r.targets(ready)
	calls := make(map[string][]snapshot.Call, len(ready))
	r.each(ready, func(name string, c *cluster.Cluster) {
		r.say(name, fmt.Sprintf("call %d clusters", len(ready)))
		made, err := r.callFrom(ctx, name, c, targets)
		r.note(func(t *snapshot.Traffic) {
			if err != nil {
				t.Unready[name] = err.Error()
			}
			if _, unasked := errors.AsType[*istio.ForwardError](err); unasked || err != nil && ctx.Err() != nil {
				t.Unprobed = append(t.Unprobed, name)
			}
			calls[name] = made
		})
	})
	for _, name := range ready {
		r.traffic.Calls = append(r.traffic.Calls, calls[name]...)
	}
}

// target is a task with the cluster that it is to reach; empty for all.
type target struct {
	cluster string
	echo.Task
}

func (r *runner) targets(ready []string) []target {
	host := func(service string) string {
		return fmt.Sprintf("%s.%s.svc.cluster.local", service, r.traffic.Namespace)
	}
	var targets []target
	for i, name := range r.Clusters {
		if !slices.Contains(ready, name) {
			continue
		}
		for _, protocol := range []echo.Protocol{echo.HTTP, echo.GRPC, echo.TCP} {
			targets = append(targets, target{name, echo.Task{Protocol: protocol, Host: host(serviceName(i, name)), Count: r.Count}})
		}
	}
	return append(targets, target{"", echo.Task{
		Protocol: echo.HTTP, Host: host(everywhere), Count: min(r.Count*max(2, len(ready)), echo.MaxCount),
	}})
}

func (r *runner) callFrom(ctx context.Context, from string, c *cluster.Cluster, targets []target) ([]snapshot.Call, error) {
	asked := echo.Calls{Settle: r.Settle}
	for _, t := range targets {
		asked.Tasks = append(asked.Tasks, t.Task)
	}
	body, err := istio.Post(ctx, c, r.traffic.Namespace, podName, echo.PathCall, echo.PortControl, asked)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", r.Image, err)
	}
	var reports []echo.Report
	if err := json.Unmarshal(body, &reports); err != nil || len(reports) != len(targets) {
		return nil, fmt.Errorf("the probe answered something else than %d reports: %.80q", len(targets), body)
	}
	calls := make([]snapshot.Call, len(targets))
	for i, report := range reports {
		calls[i] = callOf(from, targets[i].cluster, report)
	}
	return calls, nil
}

// callOf sums a report up.
func callOf(from, to string, report echo.Report) snapshot.Call {
	call := snapshot.Call{
		From: from, To: to, Protocol: string(report.Protocol), Sent: report.Count, Answered: len(report.Answers),
		ByCluster: map[string]int{}, Error: report.Error,
	}
	for _, answer := range report.Answers {
		call.ByCluster[answer.Cluster]++
		if !slices.Contains(call.Peers, answer.Peer) {
			call.Peers = append(call.Peers, answer.Peer)
		}
	}
	slices.Sort(report.Times)
	if n := len(report.Times); n > 0 {
		call.P50, call.P99 = report.Times[n/2], report.Times[(n*99)/100]
	}
	return call
}
