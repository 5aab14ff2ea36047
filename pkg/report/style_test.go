package report

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/term"
)

// What is no terminal gets neither colour nor a line that is written again, whatever the environment says.
func TestStyleOfNoTerminal(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, w := range map[string]io.Writer{"a buffer": &strings.Builder{}, "a file": file, "a wrapped file": wrapping{file}} {
		if style := StyleOf(w, false, func(string) string { return "" }); style != (Style{Width: 80}) {
			t.Errorf("%s is written in %+v", name, style)
		}
	}
}

type wrapping struct{ io.Writer }

func (w wrapping) Unwrap() io.Writer { return w.Writer }

func TestStyleOfTerminal(t *testing.T) {
	t.Parallel()
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("this machine gives no pseudo-terminal: %v", err)
	}
	defer terminal.Close()
	if !term.IsTerminal(int(terminal.Fd())) {
		t.Skip("this machine's /dev/ptmx is no terminal")
	}
	for _, test := range []struct {
		name     string
		noColour bool
		env      map[string]string
		want     Style
	}{
		{"a terminal", false, map[string]string{"TERM": "xterm"}, Style{Colour: true, Live: true, Width: 80}},
		{"--no-color", true, map[string]string{"TERM": "xterm"}, Style{Live: true, Width: 80}},
		{"NO_COLOR", false, map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, Style{Live: true, Width: 80}},
		{"an empty NO_COLOR is none", false, map[string]string{"NO_COLOR": ""}, Style{Colour: true, Live: true, Width: 80}},
		{"TERM=dumb", false, map[string]string{"TERM": "dumb"}, Style{Width: 80}},
	} {
		for how, w := range map[string]io.Writer{"": terminal, ", wrapped": wrapping{terminal}} {
			if got := StyleOf(w, test.noColour, func(name string) string { return test.env[name] }); got != test.want {
				t.Errorf("%s%s is written in %+v, want %+v", test.name, how, got, test.want)
			}
		}
	}
}

func TestPaint(t *testing.T) {
	t.Parallel()
	if got := (Style{Colour: true}).paint(red, "x"); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("got %q", got)
	}
	if got := (Style{Colour: true}).paint(red, ""); got != "" {
		t.Errorf("nothing is painted as %q", got)
	}
	if got := (Style{Colour: true}).paint("", "x"); got != "x" {
		t.Errorf("without a code: %q", got)
	}
	if got := (Style{}).paint(red, "x"); got != "x" {
		t.Errorf("without colour: %q", got)
	}
}
