// Package report is the only package that prints. It knows what a terminal can do and nothing of Istio.
package report

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
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

// symbol is that of a status, in its colour.
func (s Style) symbol(status check.Status) string {
	symbol, colour := symbolOf(status)
	return s.paint(colour, symbol)
}

// paintSymbol colours the symbol with which a text begins.
func (s Style) paintSymbol(text string) string {
	for _, status := range []check.Status{check.Pass, check.Warn, check.Unknown, check.Fail} {
		symbol, _ := symbolOf(status)
		if rest, found := strings.CutPrefix(text, symbol+" "); found {
			return s.symbol(status) + " " + rest
		}
	}
	return text
}

func symbolOf(status check.Status) (symbol, colour string) {
	switch status {
	case check.Pass:
		return "✓", green
	case check.Warn:
		return "!", yellow
	case check.Unknown:
		return "?", yellow
	case check.Skip:
		return "-", faint
	}
	return "✗", red
}
