package temporary

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	_, missing := os.Create(filepath.Join(t.TempDir(), "missing", "x"))
	if got := Explain(missing); !errors.Is(got, os.ErrNotExist) || !strings.Contains(got.Error(), "set TMPDIR") {
		t.Errorf("%v", got)
	}
	for _, other := range []error{nil, errors.New("something else")} {
		if got := Explain(other); got != other { //nolint:errorlint // the very same
			t.Errorf("%v became %v", other, got)
		}
	}
}
