// Package command makes the commands that are shown for a person or a program to run: each is an argv that carries along
// what the user's own call had, and is quoted for a shell only when it is written out. It is pure.
package command

import (
	"cmp"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
)

// Command is one program with its arguments. Its JSON is documented in docs/guide/output.md, and stable.
type Command struct {
	// Cluster is the name of the cluster that it works on.
	Cluster string `json:"cluster,omitempty"`
	// Argv is the program (kubectl, mostly) and its arguments, each a word of its own and not quoted.
	Argv []string `json:"argv"`
	// Piped is true when it reads what the command before it writes.
	Piped bool `json:"piped,omitempty"`
	// Placeholders are the parts of Argv that must be replaced before it can run, such as ADDRESS:PORT. A command
	// without any runs as it is.
	Placeholders []string `json:"placeholders,omitempty"`
}

// Caller is how the user called kubectl mesh, as far as other commands must repeat it to mean the same.
type Caller struct {
	// Every are connection flags that hold for every cluster, such as --kubeconfig=FILE.
	Every []string
	// Primary are connection flags that hold for the primary alone, such as --user=NAME.
	Primary []string
	// Subcommand is the one that runs, such as attach-remote, and Own are those of its flags that say what it is to
	// make, such as --network=NAME. A command that says to run the same again repeats them.
	Subcommand string
	Own        []string
}

// Kubectl is kubectl with these arguments, on a cluster.
func (c Caller) Kubectl(to mesh.Cluster, args ...string) Command {
	connection := c.Every
	if to.Role == mesh.Primary {
		connection = slices.Concat(c.Every, c.Primary)
	}
	return program("kubectl", "--context", to, connection, args)
}

// Istioctl is istioctl with these arguments, on a cluster.
func (c Caller) Istioctl(to mesh.Cluster, args ...string) Command {
	return program("istioctl", "--context", to, c.Every, args)
}

// Helm is helm with these arguments, on a cluster.
func (c Caller) Helm(to mesh.Cluster, args ...string) Command {
	// It calls the others of kubectl's flags otherwise.
	connection := slices.DeleteFunc(slices.Clone(c.Every), func(word string) bool { return flagName(word) != "--kubeconfig" })
	return program("helm", "--kube-context", to, connection, args)
}

func program(name, flag string, to mesh.Cluster, connection, args []string) Command {
	argv := []string{name}
	context, placeholders := contextOf(to)
	if context != "" { // in a pod there may be none
		argv = append(argv, flag, context)
	}
	return Command{Cluster: cmp.Or(to.Name, to.Context), Argv: slices.Concat(argv, connection, args), Placeholders: placeholders}
}

// Mesh is `kubectl mesh SUBCOMMAND` with these arguments, on the primary of a mesh.
func (c Caller) Mesh(m mesh.Mesh, subcommand string, args ...string) Command {
	primary, _ := m.Primary()
	argv := append([]string{"kubectl", "mesh", subcommand}, args...)
	if primary.Context != "" {
		argv = append(argv, "--context", primary.Context)
	}
	if m.Namespace != "" && m.Namespace != mesh.DefaultNamespace {
		argv = append(argv, "-n", m.Namespace)
	}
	if m.Revision != "" {
		argv = append(argv, "--revision", m.Revision)
	}
	argv = slices.Concat(argv, c.Every, c.Primary)
	if subcommand == c.Subcommand {
		for _, own := range c.Own {
			if !slices.ContainsFunc(args, func(arg string) bool { return flagName(arg) == flagName(own) }) { // what is said now counts
				argv = append(argv, own)
			}
		}
	}
	return Command{Cluster: cmp.Or(primary.Name, primary.Context), Argv: argv}
}

// ForOtherPrimary is the caller for another primary, whose server and user are not those that were named for this one.
func (c Caller) ForOtherPrimary() Caller {
	c.Primary = nil
	return c
}

// Quote writes one word for a POSIX shell.
func Quote(word string) string { return shellescape.Quote(word) }

// flagName is --flag of --flag and of --flag=value.
func flagName(word string) string {
	name, _, _ := strings.Cut(word, "=")
	return name
}

// Remote is how a remote is named as an argument of kubectl mesh: by its context, with its name before it where the
// context alone would give another, and what must be replaced in that.
func Remote(c mesh.Cluster) (arg string, placeholders []string) {
	context, placeholders := contextOf(c)
	if placeholders == nil && mesh.ClusterName(context) == c.Name && !strings.Contains(context, "=") && !strings.HasPrefix(context, "-") {
		return context, nil
	}
	return c.Name + "=" + context, placeholders
}

// contextOf is the context through which a cluster is reached. For a remote to which none leads a placeholder stands
// there: without --context the command would go to another cluster.
func contextOf(c mesh.Cluster) (context string, placeholders []string) {
	if c.Context != "" || c.Role == mesh.Primary {
		return c.Context, nil
	}
	context = NoContext + c.Name
	return context, []string{context}
}

// NoContext and a cluster's name stand for the context of a cluster to which none leads.
const NoContext = "CONTEXT-OF-"

// Shell writes commands as one line for a POSIX shell, each run only when the one before it succeeded.
func Shell(commands ...Command) string {
	var line strings.Builder
	for i, c := range commands {
		switch {
		case c.Piped:
			line.WriteString(" | ")
		case i > 0:
			line.WriteString(" && ")
		}
		line.WriteString(shellescape.QuoteCommand(c.Argv))
	}
	return line.String()
}

// String is the command as a line for a POSIX shell.
func (c Command) String() string { return shellescape.QuoteCommand(c.Argv) }
