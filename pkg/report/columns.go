package report

import (
	"strings"

	"github.com/mattn/go-runewidth"
	"github.com/muesli/reflow/ansi"
	"github.com/muesli/reflow/wordwrap"
)

// columns lays out lines whose cells stand below each other. Widths are those on a terminal: a colour has none, and some
// characters have two columns.
type columns struct {
	widths []int
	// gap is how many blanks are between two columns.
	gap int
}

// columnsFor has columns that are wide enough for the cells of all rows.
func columnsFor(gap int, rows ...[]string) columns {
	c := columns{gap: gap}
	for _, row := range rows {
		for i, cell := range row {
			if i == len(c.widths) {
				c.widths = append(c.widths, 0)
			}
			c.widths[i] = max(c.widths[i], widthOf(cell))
		}
	}
	return c
}

// width is that of all columns with the gaps between them.
func (c columns) width() int {
	sum := -c.gap
	for _, width := range c.widths {
		sum += width + c.gap
	}
	return sum
}

// line is one line. Its last cell may be wider than its column, or have none.
func (c columns) line(cells ...string) string {
	head, last := c.split(cells)
	return strings.TrimRight(head+last, " ")
}

// paragraph is like line, with the last cell wrapped to width below its own beginning.
func (c columns) paragraph(width int, cells ...string) string {
	head, last := c.split(cells)
	return strings.TrimRight(head+hang(last, width, widthOf(head)), " ")
}

func (c columns) split(cells []string) (head, last string) {
	end := len(cells) - 1
	for i, cell := range cells[:end] {
		if i < len(c.widths) {
			cell = pad(cell, c.widths[i])
		}
		head += cell + strings.Repeat(" ", c.gap)
	}
	return head, cells[end]
}

// column are rows of one cell each.
func column(cells []string) [][]string {
	rows := make([][]string, len(cells))
	for i, cell := range cells {
		rows[i] = []string{cell}
	}
	return rows
}

// widthOf is how many columns a text takes on a terminal.
func widthOf(text string) int { return ansi.PrintableRuneWidth(text) }

// pad fills text with blanks up to width.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(width-widthOf(text), 0))
}

// cut shortens text without colours to width, with an ellipsis where it was cut.
func cut(text string, width int) string {
	if width < 1 {
		return text
	}
	return runewidth.Truncate(text, width, "…")
}

// minWidth is what wrapped text has at least, however narrow the terminal is.
const minWidth = 30

// hang wraps text to width, when its first line begins at column and the others are to begin there, too.
func hang(text string, width, column int) string {
	return strings.ReplaceAll(Wrap(text, max(width-column, minWidth)), "\n", "\n"+strings.Repeat(" ", column))
}

// Wrap breaks text at blanks into lines of at most width. A longer word is broken after a slash, as identities and paths
// can be, or stays whole.
func Wrap(text string, width int) string {
	var joined strings.Builder
	for i, word := range strings.Fields(text) {
		parts := splitPath(word, width)
		switch {
		case i == 0:
		case len(parts) > 1:
			joined.WriteByte('\n')
		default:
			joined.WriteByte(' ')
		}
		joined.WriteString(strings.Join(parts, "\n"))
	}
	w := wordwrap.NewWriter(width)
	w.Breakpoints = nil // names with hyphens stay whole
	_, _ = w.Write([]byte(joined.String()))
	_ = w.Close()
	return w.String()
}

// splitPath breaks a word that is longer than width after slashes, where it has some.
func splitPath(word string, width int) []string {
	var parts []string
	for widthOf(word) > width {
		end := strings.LastIndex(runewidth.Truncate(word, width, ""), "/") + 1
		if end == 0 {
			break
		}
		parts, word = append(parts, word[:end]), word[end:]
	}
	return append(parts, word)
}
