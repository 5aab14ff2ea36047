// Package report is the only package that prints. It knows what a terminal can do and nothing of Istio.
package report

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Style is how a stream is written to.
type Style struct {
	// Colour allows escape codes for colour.
	Colour bool
	// Live allows a line to be written again: the stream is a terminal.
	Live bool
	// Width is the terminal's, 80 where there is none.
	Width int
}

// StyleOf looks at a stream. noColour is the user's flag; NO_COLOR in the environment means the same
// (https://no-color.org), and a terminal called dumb gets neither colour nor a live line. A writer that wraps another
// says so with Unwrap.
func StyleOf(w io.Writer, noColour bool, getenv func(string) string) Style {
	style := Style{Width: 80}
	if wrapped, is := w.(interface{ Unwrap() io.Writer }); is {
		w = wrapped.Unwrap()
	}
	file, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) || getenv("TERM") == "dumb" {
		return style
	}
	if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 20 {
		style.Width = width
	}
	style.Live = true
	style.Colour = !noColour && getenv("NO_COLOR") == ""
	return style
}

// The colours in use: of a terminal's own palette, so that they fit its theme.
const (
	green  = "32"
	yellow = "33"
	red    = "31"
	faint  = "2"
	bold   = "1"
)

func (s Style) paint(code, text string) string {
	if !s.Colour || code == "" || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// pad fills text with blanks up to width.
func pad(text string, width int) string {
	if missing := width - len([]rune(text)); missing > 0 {
		return text + strings.Repeat(" ", missing)
	}
	return text
}

// cut shortens text to width, with an ellipsis where it was cut.
func cut(text string, width int) string {
	runes := []rune(text)
	if width < 1 || len(runes) <= width {
		return text
	}
	return string(runes[:width-1]) + "…"
}
