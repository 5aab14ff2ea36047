package probe

import (
	"context"
	"errors"
	"io"
	"net/url"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A creation without an answer is tried again, and has succeeded where an earlier attempt turns out to have; an answer is
// the end of it.
func TestCreate(t *testing.T) {
	t.Parallel()
	pods := schema.GroupResource{Resource: "pods"}
	unanswered := &url.Error{Op: "Post", URL: "https://east/api/v1/pods", Err: io.EOF}
	there, forbidden := apierrors.NewAlreadyExists(pods, "mesh-probe"), apierrors.NewForbidden(pods, "mesh-probe", errors.New("no"))
	for _, c := range []struct {
		name string
		// answers are those of the attempts; the last one is given again and again.
		answers  []error
		attempts int
		want     error
	}{
		{"at once", []error{nil}, 1, nil},
		{"at the second attempt", []error{unanswered, nil}, 2, nil},
		{"the answer was lost", []error{unanswered, there}, 2, nil},
		{"somebody else's", []error{there}, 1, there},
		{"may not", []error{forbidden}, 1, forbidden},
		{"never an answer", []error{unanswered}, 4, unanswered},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			attempts := 0
			err := create(t.Context(), func(context.Context) error {
				attempts++
				return c.answers[min(attempts, len(c.answers))-1]
			})
			if !errors.Is(err, c.want) || attempts != c.attempts {
				t.Errorf("got %v after %d attempts, want %v after %d", err, attempts, c.want, c.attempts)
			}
		})
	}
}
