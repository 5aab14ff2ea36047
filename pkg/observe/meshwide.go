package observe

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// readRootCerts reads which root certificate each namespace has been given.
func readRootCerts(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	roots, writer := map[string]string{}, ""
	var readers errgroup.Group
	readers.Go(func() error {
		list, err := r.Kube().CoreV1().ConfigMaps(metav1.NamespaceAll).List(ctx,
			metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", wellknown.RootCertConfigMap).String()})
		if err != nil {
			return err
		}
		for _, cm := range list.Items {
			roots[cm.Namespace] = rootOf(&cm)
		}
		return nil
	})
	readers.Go(func() error {
		lock, err := r.Kube().CoreV1().ConfigMaps(r.options.Namespace).Get(ctx, istio.NamespaceLock, metav1.GetOptions{})
		if err != nil {
			return absent(err)
		}
		record, _ := istio.HolderOf(lock)
		writer = record.HolderIdentity
		return nil
	})
	if err := readers.Wait(); err != nil {
		return nil, err
	}
	return func(c *snapshot.Cluster) { c.RootCerts, c.RootWriter = roots, writer }, nil
}

// readInjected reads which namespaces ask for sidecars, and their Services' names.
func readInjected(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	list, err := r.Kube().CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var names []string
	labels := map[string]map[string]string{}
	for _, ns := range list.Items {
		// A probe's namespace comes and goes.
		if ns.DeletionTimestamp == nil && istio.AsksForInjection(ns.Labels) && ns.Labels["app.kubernetes.io/name"] != "mesh-probe" {
			names = append(names, ns.Name)
			labels[ns.Name] = ns.Labels
		}
	}
	slices.Sort(names)
	services := map[string][]string{}
	var kept []corev1.Service
	var headless []string
	if len(names) > 0 {
		all, err := r.Kube().CoreV1().Services(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		for _, s := range all.Items {
			if slices.Contains(names, s.Namespace) {
				services[s.Namespace] = append(services[s.Namespace], s.Name)
				s.ManagedFields = nil
				kept = append(kept, s)
				if s.Spec.ClusterIP == corev1.ClusterIPNone {
					headless = append(headless, s.Namespace+"/"+s.Name)
				}
			}
		}
	}
	return func(c *snapshot.Cluster) {
		c.Injected, c.InjectedLabels, c.Services, c.Headless, c.ServiceObjects = names, labels, services, headless, kept
	}, nil
}

// readReaderToken reads whether the account by which istiod reads the cluster has its token.
func readReaderToken(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	secret, err := r.Kube().CoreV1().Secrets(r.options.Namespace).Get(ctx, wellknown.ReaderTokenSecret, metav1.GetOptions{})
	if err != nil {
		return nil, absent(err)
	}
	ca, token, filled := istio.TokenOf(secret)
	return func(c *snapshot.Cluster) {
		c.ReaderToken = &snapshot.ReaderToken{Filled: filled, Token: snapshot.Fingerprint(token), CA: snapshot.Fingerprint(ca)}
	}, nil
}

// readStraySecrets finds remote secrets outside of the namespace in which istiod looks.
func readStraySecrets(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	list, err := r.Kube().CoreV1().Secrets(metav1.NamespaceAll).List(ctx, metav1.ListOptions{
		LabelSelector: wellknown.RemoteSecretSelector,
		FieldSelector: fields.OneTermNotEqualSelector("metadata.namespace", r.options.Namespace).String(),
	})
	if err != nil {
		return nil, err
	}
	var stray []string
	for _, s := range list.Items {
		stray = append(stray, s.Namespace+"/"+s.Name)
	}
	return func(c *snapshot.Cluster) { c.StraySecrets = stray }, nil
}

// readValues reads the mesh id that the cluster's part of Istio was installed with.
func readValues(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	list, err := r.Kube().CoreV1().ConfigMaps(r.options.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	installed, err := installedOf(list.Items)
	return func(c *snapshot.Cluster) { c.Installed = installed }, err
}

// installedOf finds the ConfigMaps with what Istio's charts were rendered with.
func installedOf(configMaps []corev1.ConfigMap) (map[string]snapshot.Installed, error) {
	installed := map[string]snapshot.Installed{}
	for _, cm := range configMaps {
		revision, is := wellknown.ValuesOf(cm.Name)
		if !is || cm.Data["merged-values"] == "" {
			continue
		}
		var values struct {
			Global struct {
				MeshID             string `json:"meshID"`
				Network            string `json:"network"`
				RemotePilotAddress string `json:"remotePilotAddress"`
			} `json:"global"`
		}
		if err := json.Unmarshal([]byte(cm.Data["merged-values"]), &values); err != nil {
			return nil, fmt.Errorf("ConfigMap %s/%s: %w", cm.Namespace, cm.Name, err)
		}
		installed[revision] = snapshot.Installed{MeshID: values.Global.MeshID, Network: values.Global.Network, IstiodAddress: values.Global.RemotePilotAddress}
	}
	return installed, nil
}

// readAmbient reads whether an ambient data plane runs.
func readAmbient(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	list, err := r.Kube().AppsV1().DaemonSets(metav1.NamespaceAll).List(ctx, metav1.ListOptions{LabelSelector: wellknown.ZtunnelSelector})
	if err != nil {
		return nil, err
	}
	return func(c *snapshot.Cluster) { c.Ambient = len(list.Items) > 0 }, nil
}

// readUninjectedGateways finds gateway pods that were created before injection worked: their image is still a
// placeholder.
func readUninjectedGateways(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	list, err := r.Kube().CoreV1().Pods(r.options.Namespace).List(ctx, metav1.ListOptions{LabelSelector: wellknown.EastWestGatewaySelector})
	if err != nil {
		return nil, err
	}
	var pods []string
	for _, p := range list.Items {
		if slices.ContainsFunc(p.Spec.Containers, func(c corev1.Container) bool { return c.Image == wellknown.PlaceholderImage }) {
			pods = append(pods, p.Name)
		}
	}
	return func(c *snapshot.Cluster) { c.UninjectedGateways = pods }, nil
}
