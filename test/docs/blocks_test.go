// Package docs runs what the pages of this repository show: each command is typed as it stands there, on real clusters,
// and must say what the page says.
package docs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// block is a piece of a page that shows commands.
type block struct {
	// line is where it begins.
	line int
	// commands are what is typed, in order.
	commands []command
	// before and after are shell commands that bring about what the page speaks of, and undo it.
	before, after []string
	// later is true for a block that is run after the one that follows it.
	later bool
	// notRun says why the block is not run; empty for one that is.
	notRun string
}

// command is what is typed, and what is shown of its output; nil where nothing is shown.
type command struct {
	typed string
	shows []string
}

// readPage finds a page's blocks of shell commands and of terminal sessions. Comments right before one say how it is run:
// `<!-- before: COMMAND -->`, `<!-- after: COMMAND -->`, `<!-- run: after the next block -->`, `<!-- not run: REASON -->`.
func readPage(text string) ([]block, error) {
	remark := regexp.MustCompile(`^<!-- (before|after|run|not run): (.*) -->$`)
	var blocks []block
	var next block
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		if m := remark.FindStringSubmatch(lines[i]); m != nil {
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
				return nil, fmt.Errorf("line %d: a remark for the test stands before no block", i)
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
			blocks[i+1].later = false // or it would be put off to the end
		}
	}
	return blocks, nil
}

// session takes a terminal session apart. What is shown before the first prompt belongs to no command.
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

// elided stands on a line of its own for lines that are not shown.
const elided = "…"

// differences are the lines that are shown and were not said and, where nothing is elided, those that were said and are
// not shown. The order is free, since steps run side by side, and so is whatever differs from run to run: numbers, times,
// generated names.
func differences(shows []string, said string) []string {
	var found []string
	// What a wait sees is said only where the wait is slow, so no page can show it.
	actual := slices.DeleteFunc(alike(strings.Split(said, "\n")), func(line string) bool { return strings.HasPrefix(line, elided+" ") })
	whole := true
	for _, line := range alike(shows) {
		if line == elided {
			whole = false
			continue
		}
		i := slices.Index(actual, line)
		if i < 0 {
			found = append(found, "not said:  "+line)
			continue
		}
		actual = slices.Delete(actual, i, i+1)
	}
	if whole {
		for _, line := range actual {
			found = append(found, "not shown: "+line)
		}
	}
	return found
}

// alike takes out of lines what differs from run to run, joins those that a long text was wrapped into, and drops
// empty ones.
func alike(lines []string) []string {
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
