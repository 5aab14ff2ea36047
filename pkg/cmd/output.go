package cmd

import (
	"io"
	"sync"
)

// watchedOutput remembers that a write failed, so that a full disk behind a redirection does not pass for success.
type watchedOutput struct {
	io.Writer
	mu  sync.Mutex
	err error
}

func (w *watchedOutput) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.err = err
	}
	return n, err
}

// Unwrap is the stream itself, by which it is known whether it is a terminal.
func (w *watchedOutput) Unwrap() io.Writer { return w.Writer }

// failed is the last error of a write.
func (w *watchedOutput) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
