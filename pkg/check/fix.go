package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
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
	return unique(all)
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
