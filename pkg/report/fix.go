package report

import (
	"fmt"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
)

// Fix writes what to do about a result, each line after the indent. A command is a line of its own, quoted for a POSIX
// shell and not wrapped, so that it can be pasted.
func Fix(fix check.Fix, indent string) string {
	var text strings.Builder
	if fix.Advice != "" {
		fmt.Fprintf(&text, "%s→ %s\n", indent, plainLine(fix.Advice))
	}
	switch missing := check.Placeholders(fix.Commands); {
	case len(fix.Commands) == 0:
	case len(missing) > 0:
		fmt.Fprintf(&text, "%s→ replace %s in:\n%s  %s\n", indent, list(missing), indent, shellLine(fix.Commands))
	default:
		fmt.Fprintf(&text, "%s→ %s\n", indent, shellLine(fix.Commands))
	}
	if len(fix.Inspect) == 0 {
		return text.String()
	}
	heading := "to see more"
	if missing := check.Placeholders(fix.Inspect); len(missing) > 0 {
		heading += ", replace " + list(missing) + " in"
	}
	fmt.Fprintf(&text, "%s→ %s:\n", indent, heading)
	for _, pipeline := range pipelines(fix.Inspect) {
		fmt.Fprintf(&text, "%s  %s\n", indent, shellLine(pipeline))
	}
	return text.String()
}

func list(words []string) string { return plainLine(strings.Join(words, " and ")) }

// shellLine is the commands as one line. What a terminal would take for a command of its own is spelt out.
func shellLine(commands []command.Command) string { return plainLine(command.Shell(commands...)) }

// pipelines parts commands where one does not read what the one before it writes.
func pipelines(commands []command.Command) [][]command.Command {
	var lines [][]command.Command
	for _, c := range commands {
		if !c.Piped {
			lines = append(lines, nil)
		}
		last := len(lines) - 1
		lines[last] = append(lines[last], c)
	}
	return lines
}
