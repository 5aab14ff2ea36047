package istio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"istio.io/istio/pkg/cluster"
	"istio.io/istio/pkg/kube"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/retry"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// RemoteClusters is istiod's own list of the clusters that it watches (debug/clusterz).
type RemoteClusters []cluster.DebugInfo

// ParseClusterz reads the answer of debug/clusterz.
func ParseClusterz(body []byte) (RemoteClusters, error) {
	var clusters RemoteClusters
	if err := json.Unmarshal(body, &clusters); err != nil {
		return nil, fmt.Errorf("istiod's debug/clusterz answered something else than a list of clusters: %w", err)
	}
	return clusters, nil
}

// IstiodPods are the running istiod pods of a revision, given as in the label istio.io/rev, or of all where that is empty,
// by name.
func IstiodPods(ctx context.Context, client kube.CLIClient, namespace, revision string) ([]corev1.Pod, error) {
	selector := wellknown.IstiodSelector
	if revision != "" {
		selector += "," + wellknown.RevisionLabel + "=" + revision
	}
	list, err := client.Kube().CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{
		LabelSelector: selector,
		FieldSelector: kube.RunningStatus,
	})
	if err != nil {
		return nil, err
	}
	pods := slices.DeleteFunc(list.Items, func(p corev1.Pod) bool { return p.DeletionTimestamp != nil })
	slices.SortFunc(pods, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return pods, nil
}

// Clusterz asks one istiod pod which clusters it watches, through a port-forward, where istiod asks for no
// credentials.
func Clusterz(ctx context.Context, client kube.CLIClient, pod *corev1.Pod) (RemoteClusters, error) {
	body, err := Get(ctx, client, pod.Namespace, pod.Name, "debug/clusterz", kube.FindIstiodMonitoringPort(pod))
	if err != nil {
		return nil, err
	}
	return ParseClusterz(body)
}

// ProxyStatus is how an istiod replica serves one proxy (debug/syncz, pilot/pkg/xds/debug.go).
type ProxyStatus struct {
	ClusterID    string                    `json:"cluster_id"`
	ProxyID      string                    `json:"proxy"`
	IstioVersion string                    `json:"istio_version"`
	Resources    map[string]ResourceStatus `json:"resources"`
}

// ResourceStatus is how a proxy took one type of configuration.
type ResourceStatus struct {
	LastError string `json:"lastError"`
}

// Rejected is what the proxy said of a configuration that it refused, empty when it took all.
func (p ProxyStatus) Rejected() string {
	for _, resource := range slices.Sorted(maps.Keys(p.Resources)) {
		if text := p.Resources[resource].LastError; text != "" {
			return text
		}
	}
	return ""
}

// ParseSyncz reads the answer of debug/syncz.
func ParseSyncz(body []byte) ([]ProxyStatus, error) {
	var proxies []ProxyStatus
	if err := json.Unmarshal(body, &proxies); err != nil {
		return nil, fmt.Errorf("istiod's debug/syncz answered something else than a list of proxies: %w", err)
	}
	return proxies, nil
}

// Syncz asks one istiod pod which proxies it serves.
func Syncz(ctx context.Context, client kube.CLIClient, pod *corev1.Pod) ([]ProxyStatus, error) {
	body, err := Get(ctx, client, pod.Namespace, pod.Name, "debug/syncz", kube.FindIstiodMonitoringPort(pod))
	if err != nil {
		return nil, err
	}
	return ParseSyncz(body)
}

// Get makes an HTTP request to a port of a pod through a port-forward.
func Get(ctx context.Context, client kube.CLIClient, namespace, pod, path string, port int) ([]byte, error) {
	return forwarded(ctx, client, namespace, pod, port, http.MethodGet, path, nil)
}

// Post is Get with something to say, as JSON.
func Post(ctx context.Context, client kube.CLIClient, namespace, pod, path string, port int, said any) ([]byte, error) {
	body, err := json.Marshal(said)
	if err != nil {
		return nil, err
	}
	return forwarded(ctx, client, namespace, pod, port, http.MethodPost, path, body)
}

// forwarded makes a request through a port-forward, and makes it again where the forward does not open or breaks: what is
// asked through one changes nothing. That the user may not, or any answer, is the end.
func forwarded(ctx context.Context, client kube.CLIClient, namespace, pod string, port int, method, path string, body []byte) ([]byte, error) {
	var answer []byte
	within := 4 * time.Second // to open at first, and longer each time
	attempt := func() error {
		forward, err := open(ctx, client, namespace, pod, port, within)
		within *= 2
		if err != nil {
			return &ForwardError{err}
		}
		defer forward.Close()
		answer, err = ask(ctx, forward, method, path, body)
		return err
	}
	again := func(err error) bool {
		var status *statusError
		return ctx.Err() == nil && !errors.As(err, &status) && !strings.Contains(err.Error(), "is forbidden")
	}
	err := retry.OnError(ctx, retry.Backoff(), again, attempt)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("asking pod %s/%s for %s: %w", namespace, pod, path, err)
	}
	return answer, nil
}

// ForwardError is why a port-forward did not open: the pod was not asked.
type ForwardError struct{ error }

// Unwrap returns the cause.
func (e *ForwardError) Unwrap() error { return e.error }

// open opens a port-forward within a time. That can't be cancelled, so it runs apart and is left to its own end when the time
// is over first.
func open(ctx context.Context, client kube.CLIClient, namespace, pod string, port int, within time.Duration) (kube.PortForwarder, error) {
	forward, err := client.NewPortForwarder(pod, namespace, "", 0, port)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("the port-forward has not opened within %s", within))
	defer cancel()
	opened := make(chan error, 1)
	go func() { opened <- forward.Start() }()
	select {
	case err := <-opened:
		return forward, err
	case <-ctx.Done():
		go func() {
			if err := <-opened; err == nil {
				forward.Close()
			}
		}()
		return nil, context.Cause(ctx)
	}
}

// statusError is an answer other than 200.
type statusError struct {
	code int
	body string
}

func (e *statusError) Error() string { return fmt.Sprintf("HTTP %d: %.200s", e.code, e.body) }

// ask makes a request through an open port-forward. ctx alone bounds it: the request that Istio's client offers for this ends
// after 15 seconds, whatever its caller wants.
func ask(ctx context.Context, forward kube.PortForwarder, method, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+forward.Address()+"/"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = &statusError{response.StatusCode, strings.TrimSpace(string(answer))}
	}
	return answer, err
}
