package probe

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/retry"
)

// oneCreation is how long an attempt may take: admission webhooks have up to 30 seconds.
const oneCreation = 35 * time.Second

// create makes an object whose name nobody else gives. It tries again where no answer came; that the object is there then
// says that an earlier attempt has made it.
func create(ctx context.Context, attempt func(ctx context.Context) error) error {
	attempts := 0
	again := func(err error) bool { return ctx.Err() == nil && cluster.Unanswered(err) }
	return retry.OnError(ctx, retry.Backoff(), again, func() error {
		attempts++
		bounded, cancel := context.WithTimeout(ctx, oneCreation)
		defer cancel()
		err := attempt(bounded)
		if attempts > 1 && apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	})
}
