package cmd

import (
	"io"
	"sync"
)

// watchedOutput remembers that a write failed, so that a full disk behind a redirection does not pass for success. The
// writer is not told: a command ends in good order, with what it has put into clusters removed, since its context ends.
type watchedOutput struct {
	io.Writer
	// lost is told of each error.
	lost func(error)
	mu   sync.Mutex
	err  error
}

func (w *watchedOutput) Write(p []byte) (int, error) {
	if _, err := w.Writer.Write(p); err != nil {
		w.lost(err)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.err = err
	}
	return len(p), nil
}

// Unwrap is the stream itself, by which it is known whether it is a terminal.
func (w *watchedOutput) Unwrap() io.Writer { return w.Writer }

// failed is the last error of a write.
func (w *watchedOutput) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
