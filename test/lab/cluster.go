package lab

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

// readyTimeout is how long a cluster may take to be ready. It takes some ten seconds when the machine is idle.
const readyTimeout = 3 * time.Minute

// startCluster starts the components that do not run, and waits until the cluster is ready.
func (l *Lab) startCluster(ctx context.Context, groups cgroups, of cluster) error {
	begun := time.Now()
	holder, err := l.space(of.Name).holder(groups)
	if err != nil {
		return err
	}
	w := watch{lab: l, groups: groups, cluster: of, started: map[string]*process{}}
	for _, client := range []bool{false, true} {
		for _, each := range of.components() {
			if each.client != client {
				continue
			}
			if err := w.ensure(each.program, holder); err != nil {
				return fmt.Errorf("%s: %w", of.Name, err)
			}
		}
		condition := of.serving
		if client {
			condition = of.ready
		}
		if err := w.until(ctx, condition); err != nil {
			return err
		}
	}
	if err := of.recordBaseline(ctx); err != nil {
		return fmt.Errorf("%s: record what is in it: %w", of.Name, err)
	}
	if len(w.started) > 0 {
		l.say("%s is ready, after %.1f s", of.Name, time.Since(begun).Seconds())
	}
	return nil
}

// watch waits for a cluster, and sees when one of its components ends.
type watch struct {
	lab     *Lab
	groups  cgroups
	cluster cluster
	started map[string]*process
}

// ensure starts a component unless it runs. One that was told to stop is told to go on.
func (w watch) ensure(p program, holder int) error {
	pid, state, err := find(w.groups, p.group, filepath.Base(p.argv[0]))
	if err != nil {
		return err
	}
	if state == "T" {
		return unix.Kill(pid, unix.SIGCONT)
	}
	if pid != 0 {
		return nil
	}
	w.started[p.name], err = start(w.groups, p, enterSpace(holder))
	return err
}

// until waits for a condition, which says what it lacks, while every component that should run does.
func (w watch) until(ctx context.Context, condition func(context.Context) (lacks string, err error)) error {
	var lacks string
	ready := func(ctx context.Context) (bool, error) {
		if err := w.dead(); err != nil {
			return false, err
		}
		var err error
		asking, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		lacks, err = condition(asking)
		if err != nil {
			lacks = err.Error()
		}
		return lacks == "", nil
	}
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, readyTimeout, true, ready)
	if !wait.Interrupted(err) {
		return err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", w.cluster.Name, context.Cause(ctx))
	}
	return fmt.Errorf("%s is not ready after %v: %s. Its logs are in %s", w.cluster.Name, readyTimeout, lacks, w.cluster.logs())
}

// dead returns an error if a component has ended that this process started.
func (w watch) dead() error {
	for _, each := range w.cluster.components() {
		process := w.started[each.name]
		if process == nil {
			continue
		}
		select {
		case <-process.ended:
			return died(w.cluster.Name+": "+each.name, each.program, process.err)
		default:
		}
	}
	return nil
}

// serving is whether the API server answers, and what starts with it.
func (c cluster) serving(ctx context.Context) (lacks string, err error) {
	client, err := c.clientset()
	if err != nil {
		return "", err
	}
	said, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Raw()
	if err != nil {
		return fmt.Sprintf("the API server says %s", firstLine(string(said), err)), nil
	}
	return c.answering(ctx, false)
}

// ready is whether pods can be made, and whether they would run.
func (c cluster) ready(ctx context.Context) (lacks string, err error) {
	if lacks, err = c.serving(ctx); lacks != "" || err != nil {
		return lacks, err
	}
	client, err := c.clientset()
	if err != nil {
		return "", err
	}
	if _, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{}); err != nil {
		return fmt.Sprintf("the controller manager has made no service account: %v", err), nil
	}
	if _, err := client.CoreV1().ConfigMaps("default").Get(ctx, "kube-root-ca.crt", metav1.GetOptions{}); err != nil {
		return fmt.Sprintf("the controller manager has published no certificate: %v", err), nil
	}
	if lacks, err = c.answering(ctx, true); lacks != "" || err != nil || c.Nodeless {
		return lacks, err
	}
	node, err := client.CoreV1().Nodes().Get(ctx, c.nodeName(), metav1.GetOptions{})
	if err != nil {
		return fmt.Sprintf("the kubelet has made no node: %v", err), nil
	}
	return nodeLacks(node), nil
}

func nodeLacks(node *corev1.Node) string {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady && condition.Status != corev1.ConditionTrue {
			return "the node is not ready: " + condition.Message
		}
	}
	for _, taint := range node.Spec.Taints {
		if taint.Key == corev1.TaintNodeNotReady {
			return "the node still has the taint " + taint.Key
		}
	}
	return ""
}

func firstLine(said string, err error) string {
	line, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
	return strings.TrimSpace(line + " " + err.Error())
}

func (c cluster) clientset() (*kubernetes.Clientset, error) {
	config, err := c.client()
	if err != nil {
		return nil, err
	}
	config.Timeout = 10 * time.Second
	return kubernetes.NewForConfig(config)
}
