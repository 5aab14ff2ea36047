// Package docs runs the commands that the pages of this repository show, on real clusters, and compares their output with
// that on the page.
package docs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// block is a piece of a page that shows commands.
type block struct {
	// line is the number of its first line.
	line int
	// commands are those of the block, in order.
	commands []command
	// before and after are shell commands that prepare what the page describes, and undo it.
	before, after []string
	// later is true for a block that runs after the next one.
	later bool
	// notRun says why the block does not run; empty for one that does.
	notRun string
}

// command is what is typed, and the part of its output that the page shows; nil if it shows none.
type command struct {
	typed string
	shows []string
}

// readPage finds a page's blocks of shell commands and of terminal sessions. Comments right before a block say how it runs:
// `<!-- before: COMMAND -->`, `<!-- after: COMMAND -->`, `<!-- run: after the next block -->`, `<!-- not run: REASON -->`.
func readPage(text string) ([]block, error) {
	comment := regexp.MustCompile(`^<!-- (before|after|run|not run): (.*) -->$`)
	var blocks []block
	var next block
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		if m := comment.FindStringSubmatch(lines[i]); m != nil {
			switch m[1] {
			case "before":
				next.before = append(next.before, m[2])
			case "after":
				next.after = append(next.after, m[2])
			case "run":
				next.later = m[2] == "after the next block"
			default:
				next.notRun = m[2]
			}
			continue
		}
		language, fence := strings.CutPrefix(lines[i], "```")
		if !fence {
			if next.line == 0 && (next.before != nil || next.after != nil || next.notRun != "") {
				return nil, fmt.Errorf("line %d: no block follows the comment for the test", i)
			}
			continue
		}
		length := slices.Index(lines[i+1:], "```")
		if length < 0 {
			return nil, fmt.Errorf("line %d: the block has no end", i+1)
		}
		next.line = i + 1
		body := lines[i+1 : i+1+length]
		i += 1 + length
		switch language {
		case "sh":
			next.commands = []command{{typed: strings.Join(body, "\n")}}
		case "console":
			next.commands = session(body)
		}
		if len(next.commands) > 0 {
			blocks = append(blocks, next)
		}
		next = block{}
	}
	for i := range len(blocks) - 1 {
		if blocks[i].later {
			blocks[i], blocks[i+1] = blocks[i+1], blocks[i]
			blocks[i+1].later = false // or it would be moved to the end
		}
	}
	return blocks, nil
}

// session splits a terminal session into commands. Lines before the first prompt belong to none.
func session(lines []string) []command {
	commands := []command{}
	for _, line := range lines {
		last := len(commands) - 1
		if typed, prompt := strings.CutPrefix(line, "$ "); prompt {
			commands = append(commands, command{typed: typed})
		} else if last < 0 {
			commands = append(commands, command{shows: []string{line}})
		} else if c := &commands[last]; c.shows == nil && strings.HasSuffix(c.typed, `\`) {
			c.typed += "\n" + line
		} else {
			c.shows = append(c.shows, line)
		}
	}
	return commands
}

// elided is a line that stands for others that are not shown.
const elided = "…"

// differences are the lines of the page that were not printed and, if nothing is elided, the printed lines that the page does
// not have. The order is ignored, since steps run in parallel, and so is what differs from run to run: numbers, times,
// generated names.
func differences(shows []string, printed string) []string {
	var found []string
	// The state during a wait is printed only if the wait is slow, so no page can show it.
	actual := slices.DeleteFunc(normalized(strings.Split(printed, "\n")), func(line string) bool { return strings.HasPrefix(line, elided+" ") })
	whole := true
	for _, line := range normalized(shows) {
		if line == elided {
			whole = false
			continue
		}
		i := slices.Index(actual, line)
		if i < 0 {
			found = append(found, "not printed: "+line)
			continue
		}
		actual = slices.Delete(actual, i, i+1)
	}
	if whole {
		for _, line := range actual {
			found = append(found, "not on page: "+line)
		}
	}
	return found
}

// normalized replaces what differs from run to run, joins wrapped lines, and drops empty ones.
func normalized(lines []string) []string {
	generated := regexp.MustCompile(`\b(kubectl-mesh-probe|istiod)(-[a-z0-9]{8,10})?-[a-z0-9]{5}\b`)
	number := regexp.MustCompile(`\d+(\.\d+)*`)
	var all []string
	for _, line := range lines {
		line = number.ReplaceAllString(generated.ReplaceAllString(line, "$1-#"), "#")
		wrapped := strings.HasPrefix(line, strings.Repeat(" ", 10)) && len(all) > 0
		line = strings.Join(strings.Fields(line), " ")
		switch {
		case line == "":
		case wrapped:
			all[len(all)-1] += " " + line
		default:
			all = append(all, line)
		}
	}
	return all
}
