package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
)

// Fix is what to do about a result. Its JSON is documented in docs/guide/output.md, and stable.
type Fix struct {
	// Advice is for a person: what to do where no command does it, or what to know before one is run.
	Advice string `json:"advice,omitempty"`
	// Commands remove the cause. They run one after the other, each only when the one before it succeeded.
	Commands []command.Command `json:"commands,omitempty"`
	// Inspect are commands that show more of the cause and change nothing.
	Inspect []command.Command `json:"inspect,omitempty"`
}

func (f Fix) empty() bool { return f.Advice == "" && len(f.Commands) == 0 && len(f.Inspect) == 0 }

// Shell is the commands as one line for a POSIX shell; empty where there are none that run as they are.
func (f Fix) Shell() string {
	if len(Placeholders(f.Commands)) > 0 {
		return ""
	}
	return command.Shell(f.Commands...)
}

// MarshalJSON adds the commands as a line for a shell.
func (f Fix) MarshalJSON() ([]byte, error) {
	type fields Fix
	return json.Marshal(struct {
		fields
		Shell string `json:"shell,omitempty"`
	}{fields(f), f.Shell()})
}

// Placeholders are what must be replaced in the commands before they can run, each once.
func Placeholders(commands []command.Command) []string {
	var all []string
	for _, c := range commands {
		all = append(all, c.Placeholders...)
	}
	return once(all)
}

// advice is a fix in words.
func advice(format string, args ...any) Fix { return Fix{Advice: fmt.Sprintf(format, args...)} }

// and is both fixes, the commands of f before those of g.
func (f Fix) and(g Fix) Fix {
	return Fix{
		Advice:   strings.Join(slices.DeleteFunc([]string{f.Advice, g.Advice}, func(text string) bool { return text == "" }), "; "),
		Commands: slices.Concat(f.Commands, g.Commands),
		Inspect:  slices.Concat(f.Inspect, g.Inspect),
	}
}

// pipe is f and g, whose first command reads what the last of f writes.
func (f Fix) pipe(g Fix) Fix {
	for _, commands := range [][]command.Command{g.Commands, g.Inspect} {
		if len(commands) > 0 {
			commands[0].Piped = true
		}
	}
	return f.and(g)
}

// fill says which parts of the commands must be replaced before they can run.
func (f Fix) fill(placeholders ...string) Fix {
	for _, commands := range [][]command.Command{f.Commands, f.Inspect} {
		for i := range commands {
			for _, p := range placeholders {
				if slices.ContainsFunc(commands[i].Argv, func(word string) bool { return strings.Contains(word, p) }) {
					commands[i].Placeholders = append(commands[i].Placeholders, p)
				}
			}
		}
	}
	return f
}

// kubectl is a fix by kubectl on a cluster.
func (v view) kubectl(c mesh.Cluster, args ...string) Fix {
	return Fix{Commands: []command.Command{v.caller.Kubectl(c, args...)}}
}

// look is kubectl on a cluster, to see more.
func (v view) look(c mesh.Cluster, args ...string) Fix {
	return Fix{Inspect: []command.Command{v.caller.Kubectl(c, args...)}}
}

// lookThere is look in Istio's namespace.
func (v view) lookThere(c mesh.Cluster, args ...string) Fix {
	return v.look(c, append([]string{"-n", v.mesh.Namespace}, args...)...)
}

// kubectlThere is kubectl in Istio's namespace.
func (v view) kubectlThere(c mesh.Cluster, args ...string) Fix {
	return v.kubectl(c, append([]string{"-n", v.mesh.Namespace}, args...)...)
}

// istioctl is istioctl on a cluster, to see more.
func (v view) istioctl(c mesh.Cluster, args ...string) Fix {
	if v.mesh.Namespace != mesh.DefaultNamespace {
		args = append(args, "--istioNamespace", v.mesh.Namespace)
	}
	return Fix{Inspect: []command.Command{v.caller.Istioctl(c, args...)}}
}

// install is install-primary on the primary.
func (v view) install(args ...string) Fix { return v.ourselves(BeforeInstall, args...) }

// expose is expose-istiod on the primary.
func (v view) expose(args ...string) Fix { return v.ourselves(BeforeExpose, args...) }

// attach attaches a remote again. What was accepted about its network then is accepted once more.
func (v view) attach(c mesh.Cluster, more ...string) Fix {
	arg, placeholders := command.Remote(c)
	if v.unconnected(c, v.thePrimary()) {
		more = append(more, "--allow-unconnected-network")
	}
	return v.ourselves(BeforeAttach, append([]string{arg}, more...)...).fill(placeholders...)
}

// attachAs attaches a remote under a name.
func (v view) attachAs(name string, c mesh.Cluster) Fix {
	return v.ourselves(BeforeAttach, name+"="+c.Context)
}

// attachOver attaches again and takes over what somebody else has changed since: where a wrong value is the fault, that
// is what removes it.
func (v view) attachOver(c mesh.Cluster, more ...string) Fix {
	return v.attach(c, append(more, "--force-conflicts")...)
}

func (v view) ourselves(subcommand string, args ...string) Fix {
	return Fix{Commands: []command.Command{v.caller.Mesh(v.mesh, subcommand, args...)}}
}

// verify asks verify for more than it was asked for.
func (v view) verify(args ...string) Fix {
	return Fix{Inspect: []command.Command{v.caller.Mesh(v.mesh, "verify", args...)}}
}

// restartIstiod lets istiod read everything anew.
func (v view) restartIstiod() Fix {
	return v.kubectlThere(v.thePrimary(), "rollout", "restart", "deployment", v.istiod())
}

// leadAgain is how istiod is brought to lead in a cluster: a remote is attached again, in the primary it is its own.
func (v view) leadAgain(c mesh.Cluster) Fix {
	if c.Role == mesh.Primary {
		return v.restartIstiod()
	}
	return v.attach(c)
}

func (v view) thePrimary() mesh.Cluster {
	primary, _ := v.mesh.Primary()
	return primary
}

// withLacking says of a fix which contexts its commands lack.
func (v view) withLacking(f Fix) Fix {
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
