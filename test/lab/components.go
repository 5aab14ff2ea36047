package lab

import (
	"embed"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"text/template"
)

// cluster is a cluster with all that its components' settings depend on.
type cluster struct {
	Cluster
	lab     int    // the lab's number
	labName string // its cgroup is named so
	dir     string
	bin     string
	machine machine
}

// machine is where the machine has what it brings itself.
type machine struct {
	containerd string
	cni        string // the folder of CNI's plugins
}

func (c cluster) node() netip.Addr        { return nodeAddress(c.lab, c.Number) }
func (c cluster) server() string          { return fmt.Sprintf("https://%s:6443", c.node()) }
func (c cluster) pki() string             { return filepath.Join(c.dir, "pki") }
func (c cluster) etc(name string) string  { return filepath.Join(c.dir, "etc", name) }
func (c cluster) data(name string) string { return filepath.Join(c.dir, "data", name) }
func (c cluster) logs() string            { return filepath.Join(c.dir, "logs") }
func (c cluster) kubeconfig() string      { return filepath.Join(c.dir, "kubeconfig") }
func (c cluster) group() string           { return filepath.Join(cgroupRoot, c.labName, c.Name) }
func (c cluster) nodeName() string        { return c.Name + "-node" }

// component is one of the programs that make a cluster.
type component struct {
	program
	// client is whether it needs the API server before it starts.
	client bool
	// node is whether it belongs to the node.
	node bool
	// health is the URL, or the socket, that answers when it is well; the API server and etcd are asked as one.
	health string
}

// components returns the programs of the cluster, in the order in which they start.
func (c cluster) components() []component {
	var of []component
	for _, each := range []component{
		{program: c.program("etcd", c.etcd())},
		{program: c.program("kube-apiserver", c.apiServer())},
		{
			program: c.program("containerd", []string{"--config=" + c.etc("containerd.toml")}),
			node:    true, health: "unix://" + filepath.Join(c.dir, "root", "run", "containerd", "containerd.sock"),
		},
		{
			program: c.program("kube-controller-manager", c.controllerManager()),
			client:  true, health: fmt.Sprintf("https://%s:10257/healthz", c.node()),
		},
		{
			program: c.program("kube-scheduler", c.scheduler()),
			client:  true, node: true, health: fmt.Sprintf("https://%s:10259/healthz", c.node()),
		},
		{
			program: c.program("kubelet", c.kubelet()),
			client:  true, node: true, health: fmt.Sprintf("http://%s:10248/healthz", c.node()),
		},
		{
			program: c.program("kube-proxy", c.kubeProxy()),
			client:  true, node: true, health: fmt.Sprintf("http://%s:10256/healthz", c.node()),
		},
		{
			program: c.program("coredns", []string{"-conf=" + c.etc("Corefile")}),
			client:  true, node: true, health: fmt.Sprintf("http://%s:8181/ready", c.node()),
		},
	} {
		if each.node && c.Nodeless {
			continue
		}
		if each.name == "containerd" {
			each.argv[0] = c.machine.containerd
		}
		of = append(of, each)
	}
	return of
}

func (c cluster) program(name string, args []string) program {
	return program{
		name:  name,
		argv:  append([]string{filepath.Join(c.bin, name)}, args...),
		group: filepath.Join(c.group(), name),
		log:   filepath.Join(c.logs(), name+".log"),
	}
}

// component returns the named one.
func (c cluster) component(name string) (component, error) {
	names := make([]string, 0, 8)
	for _, each := range c.components() {
		if each.name == name {
			return each, nil
		}
		names = append(names, each.name)
	}
	return component{}, fmt.Errorf("%s has no component %q; it has %s", c.Name, name, strings.Join(names, ", "))
}

func (c cluster) etcd() []string {
	return []string{
		"--name=" + c.Name,
		"--data-dir=" + c.data("etcd"),
		"--listen-client-urls=http://127.0.0.1:2379",
		"--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380",
		"--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster=" + c.Name + "=http://127.0.0.1:2380",
		"--unsafe-no-fsync", // A lab is not worth waiting for the disk.
		"--log-level=warn",
	}
}

func (c cluster) apiServer() []string {
	args := []string{
		"--etcd-servers=http://127.0.0.1:2379",
		"--advertise-address=" + c.node().String(),
		"--bind-address=0.0.0.0",
		"--secure-port=6443",
		"--cert-dir=" + c.data("kube-apiserver"),
		"--tls-cert-file=" + c.pki() + "/apiserver.crt",
		"--tls-private-key-file=" + c.pki() + "/apiserver.key",
		"--client-ca-file=" + c.pki() + "/ca.crt",
		"--service-account-key-file=" + c.pki() + "/service-accounts.key",
		"--service-account-signing-key-file=" + c.pki() + "/service-accounts.key",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-cluster-ip-range=" + serviceRange(c.Number).String(),
		"--authorization-mode=Node,RBAC",
		"--allow-privileged=true",
		// Nobody knows the node's name, and logs and exec would look it up.
		"--kubelet-preferred-address-types=InternalIP",
	}
	if c.AggregatorRouting || c.Nodeless {
		// Without kube-proxy nothing answers at a Service's address: webhooks must be called at its endpoints.
		args = append(args, "--enable-aggregator-routing=true")
	}
	return args
}

func (c cluster) controllerManager() []string {
	return []string{
		"--kubeconfig=" + c.kubeconfig(),
		"--bind-address=" + c.node().String(),
		"--tls-cert-file=" + c.pki() + "/apiserver.crt",
		"--tls-private-key-file=" + c.pki() + "/apiserver.key",
		"--leader-elect=false",
		"--service-account-private-key-file=" + c.pki() + "/service-accounts.key",
		"--root-ca-file=" + c.pki() + "/ca.crt",
		"--cluster-signing-cert-file=" + c.pki() + "/ca.crt",
		"--cluster-signing-key-file=" + c.pki() + "/ca.key",
		"--allocate-node-cidrs=true",
		"--cluster-cidr=" + podRange(c.Number).String(),
		"--node-cidr-mask-size=24",
		"--flex-volume-plugin-dir=" + c.data("volume-plugins"),
	}
}

func (c cluster) scheduler() []string {
	return []string{
		"--kubeconfig=" + c.kubeconfig(),
		"--bind-address=" + c.node().String(),
		"--tls-cert-file=" + c.pki() + "/apiserver.crt",
		"--tls-private-key-file=" + c.pki() + "/apiserver.key",
		"--leader-elect=false",
	}
}

func (c cluster) kubelet() []string {
	return []string{
		"--kubeconfig=" + c.kubeconfig(),
		"--config=" + c.etc("kubelet.yaml"),
		"--root-dir=" + c.data("kubelet"),
		"--cert-dir=" + c.data("kubelet-certificates"),
		"--hostname-override=" + c.nodeName(),
		"--node-ip=" + c.node().String(),
	}
}

func (c cluster) kubeProxy() []string {
	return []string{"--config=" + c.etc("kube-proxy.yaml")}
}

//go:embed config/*.tmpl
var configTemplates embed.FS

// configFiles returns the files that the components are configured with, by their name in the cluster's etc folder.
func (c cluster) configFiles() (map[string]string, error) {
	templates, err := template.New("").Option("missingkey=error").ParseFS(configTemplates, "config/*.tmpl")
	if err != nil {
		return nil, err
	}
	values := map[string]any{
		"Dir":        c.dir,
		"Etc":        filepath.Join(c.dir, "etc"),
		"Data":       filepath.Join(c.dir, "data"),
		"Logs":       c.logs(),
		"Kubeconfig": c.kubeconfig(),
		"CA":         c.pki() + "/ca.crt",
		"NodeName":   c.nodeName(),
		"Node":       c.node(),
		"Hub":        hubAddress(c.lab),
		"Pods":       podRange(c.Number),
		"NodePods":   nodePodRange(c.Number),
		"CgroupRoot": "/" + c.group(),
		"CNI":        c.machine.cni,
		"Pause":      pauseImage,
		"Registry":   registryURL(c.lab),
	}
	files := map[string]string{}
	for _, name := range []string{
		"containerd.toml", "registries/_default/hosts.toml", "cni/10-lab.conflist", "kubelet.yaml", "kube-proxy.yaml", "Corefile",
	} {
		var text strings.Builder
		if err := templates.ExecuteTemplate(&text, filepath.Base(name)+".tmpl", values); err != nil {
			return nil, fmt.Errorf("render %s: %w", name, err)
		}
		files[name] = text.String()
	}
	return files, nil
}
