// Package golden compares what a test made with a file in its testdata. With -update the file is written again:
// go test ./pkg/plan -update.
package golden

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the files in testdata again") //nolint:gochecknoglobals // a flag is one

// Equal fails the test where got differs from testdata/NAME.
func Equal(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	wanted, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v\nIs it new? Then run with -update and read what was written.", err)
	}
	if where := difference(string(wanted), got); where != "" {
		t.Errorf("%s: %s\nIf it is meant to be so, run with -update and read the difference.", path, where)
	}
}

// difference is the first line that two texts do not share, with both its forms, and the whole of got.
func difference(wanted, got string) string {
	if wanted == got {
		return ""
	}
	w, g := strings.SplitAfter(wanted, "\n"), strings.SplitAfter(got, "\n")
	i := 0
	for i < len(w) && i < len(g) && w[i] == g[i] {
		i++
	}
	return fmt.Sprintf("line %d is %q, wanted %q; the whole is:\n%s", i+1, at(g, i), at(w, i), got)
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}
