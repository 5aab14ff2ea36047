package check

import (
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
)

// kubectl is a fix by kubectl on a cluster.
func (v view) kubectl(c mesh.Cluster, args ...string) Fix {
	return Fix{Commands: []command.Command{v.caller.Kubectl(v.byContext(c), args...)}}
}

// byContext is a cluster as commands name it: flags for the primary's connection are for that of the user's call alone, and any other
// cluster is named by its context.
func (v view) byContext(c mesh.Cluster) mesh.Cluster {
	if c.Name != v.callersPrimary {
		c.Role = mesh.Remote
	}
	return c
}

// inspect is kubectl on a cluster, to see more.
func (v view) inspect(c mesh.Cluster, args ...string) Fix {
	return Fix{Inspect: []command.Command{v.caller.Kubectl(v.byContext(c), args...)}}
}

// kubectlNamespaced is kubectl in Istio's namespace.
func (v view) kubectlNamespaced(c mesh.Cluster, args ...string) Fix {
	return v.kubectl(c, append([]string{"-n", v.mesh.Namespace}, args...)...)
}

// inspectNamespaced is inspect in Istio's namespace.
func (v view) inspectNamespaced(c mesh.Cluster, args ...string) Fix {
	return v.inspect(c, append([]string{"-n", v.mesh.Namespace}, args...)...)
}

// istioctl is istioctl on a cluster, to see more.
func (v view) istioctl(c mesh.Cluster, args ...string) Fix {
	if v.mesh.Namespace != mesh.DefaultNamespace {
		args = append(args, "--istioNamespace", v.mesh.Namespace)
	}
	return Fix{Inspect: []command.Command{v.caller.Istioctl(v.byContext(c), args...)}}
}

// install is install-primary on the primary.
func (v view) install(args ...string) Fix { return v.meshCommand(BeforeInstall, args...) }

// expose is expose-istiod on the primary.
func (v view) expose(args ...string) Fix { return v.meshCommand(BeforeExpose, args...) }

// attach attaches a remote again. What was accepted about its network then is accepted once more. For a cluster that another
// control plane serves, this one is only given credentials.
func (v view) attach(c mesh.Cluster, more ...string) Fix {
	if !slices.ContainsFunc(v.remotes(), func(r mesh.Cluster) bool { return r.Name == c.Name }) {
		return v.link(c, more...)
	}
	arg, placeholders := command.Remote(c)
	if v.unconnected(c, v.home) {
		more = append(more, "--allow-unconnected-network")
	}
	return v.meshCommand(BeforeAttach, append([]string{arg}, more...)...).fill(placeholders...)
}

// link gives the control plane credentials for a cluster that it does not serve, as Istio's guide for several primaries does.
func (v view) link(c mesh.Cluster, more ...string) Fix {
	args := []string{"create-remote-secret", "--name", c.Name}
	if v.mesh.Namespace != mesh.DefaultNamespace {
		args = append(args, "--istioNamespace", v.mesh.Namespace)
	}
	if i := slices.Index(more, "--remote-server"); i >= 0 {
		args = append(args, "--server", more[i+1])
	}
	create := Fix{Commands: []command.Command{v.caller.Istioctl(v.byContext(c), args...)}}
	return create.pipe(v.kubectlNamespaced(v.home, "apply", "-f", "-"))
}

// attachAs attaches a remote under a name.
func (v view) attachAs(name string, c mesh.Cluster) Fix {
	return v.meshCommand(BeforeAttach, name+"="+c.Context)
}

// attachForced attaches a cluster again with --force-conflicts: it replaces wrong values that other field managers have set.
func (v view) attachForced(c mesh.Cluster, more ...string) Fix {
	return v.attach(c, append(more, "--force-conflicts")...)
}

func (v view) meshCommand(subcommand string, args ...string) Fix {
	return Fix{Commands: []command.Command{v.caller.Mesh(v.mesh, subcommand, args...)}}
}

// verify asks verify for more than it was asked for.
func (v view) verify(args ...string) Fix {
	return Fix{Inspect: []command.Command{v.caller.Mesh(v.mesh, "verify", args...)}}
}

// restartIstiod lets istiod read everything again.
func (v view) restartIstiod() Fix {
	return v.kubectlNamespaced(v.home, "rollout", "restart", "deployment", v.istiodName())
}

// makeIstiodLead is how istiod is brought to lead in a cluster: a remote is attached again, in the primary it is its own.
func (v view) makeIstiodLead(c mesh.Cluster) Fix {
	if c.Role == mesh.Primary {
		return v.restartIstiod()
	}
	return v.attach(c)
}

// withMissingContexts says of a fix which contexts its commands lack.
func (v view) withMissingContexts(f Fix) Fix {
	placeholders := Placeholders(slices.Concat(f.Commands, f.Inspect))
	var lacking []string
	for _, c := range v.mesh.Clusters {
		if slices.Contains(placeholders, command.NoContext+c.Name) {
			lacking = append(lacking, c.Name)
		}
	}
	if len(lacking) == 0 {
		return f
	}
	return f.and(advice("your kubeconfig has no context of %s", strings.Join(lacking, " and ")))
}
