// Package temporary explains errors about temporary files.
package temporary

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Explain says of an error about a temporary file how to have such files elsewhere; other errors it leaves as they are.
func Explain(err error) error {
	if _, is := errors.AsType[*fs.PathError](err); !is {
		return err
	}
	return fmt.Errorf("%w. Temporary files go to %s: set TMPDIR to a folder that can be written to", err, os.TempDir())
}
