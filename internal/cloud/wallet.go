package cloud

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"heliumai.space/ecsrelease/internal/rollout"
)

// doubtPause is how long credentials are believed, whatever AWS says of them, once they were
// fetched anew for a doubt: a denial that lasts costs STS one call a minute.
const doubtPause = time.Minute

// wallet holds credentials and fetches them anew before they end, or when there is reason to
// doubt them. Sessions that share a wallet share the pause between doubts.
type wallet struct {
	provider aws.CredentialsProvider // nil: the process has none

	mu      sync.Mutex
	doubted time.Time
}

// credentials are those in the wallet, fetched if need be. They are of whomever they are of.
func (w *wallet) credentials(ctx context.Context) (aws.Credentials, error) {
	if w.provider == nil {
		return aws.Credentials{}, errors.New("the process has no AWS credentials")
	}
	return w.provider.Retrieve(ctx)
}

// doubt forgets the credentials if err, of a call that was signed with them, speaks against them,
// and says whether the next call fetches fresh ones. Not only ends of sessions do: what a session
// may do can depend on when it began and on the role as it was then.
func (w *wallet) doubt(err error) bool {
	cache, renewable := w.provider.(*aws.CredentialsCache)
	if !renewable || !isExpiry(err) && kindOf(err).class != rollout.ProblemDenied {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.doubted.IsZero() && time.Since(w.doubted) < doubtPause {
		return false
	}
	w.doubted = time.Now()
	cache.Invalidate()
	return true
}

// within gives up on a provider after a while. The cache of credentials takes the caller's deadline away,
// since others may wait for the same answer: a call that hangs would be waited for for ever, by all.
func within(deadline time.Duration, provider aws.CredentialsProvider) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		ctx, cancel := context.WithTimeout(ctx, deadline)
		defer cancel()
		return provider.Retrieve(ctx)
	})
}
