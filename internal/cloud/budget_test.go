package cloud

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lookUps has somebody of an environment take so many tokens in a row, and come again after the fast cadence
// when they are put off. It returns how long that took.
func lookUps(ctx context.Context, f *Fleet, environment string, key bucketKey, n int) time.Duration {
	began := time.Now()
	for n > 0 && ctx.Err() == nil {
		if _, ok := f.budget.takeSoon(ctx, environment, key); !ok {
			pause(ctx, 5*time.Second)
			continue
		}
		n--
		pause(ctx, 50*time.Millisecond) // the call
	}
	return time.Since(began)
}

// However many releases of one environment look something up, one of another is not held up by them, and
// no token is left unused.
func TestEnvironmentsLookThingsUpInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := budgeted(t, 0.5)
		key := bucketKey{anAccount, aRegion, quotaTaskDefRead} // 10 a second
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		var mu sync.Mutex
		taken := 0
		for i := range 1000 {
			all.Go(func() {
				pause(ctx, time.Duration(i)*5*time.Millisecond)
				for ctx.Err() == nil {
					lookUps(ctx, f, "large", key, 1)
					mu.Lock()
					taken++
					mu.Unlock()
				}
			})
		}
		time.Sleep(10 * time.Second)
		for range 20 {
			if took := lookUps(ctx, f, "small", key, 5); took > 3*time.Second {
				t.Errorf("five look-ups of another environment took %s, wanted 3 s at most", took)
			}
			time.Sleep(time.Second)
		}
		mu.Lock()
		before := taken
		mu.Unlock()
		time.Sleep(time.Minute)
		mu.Lock()
		if got := taken - before; got < 590 {
			t.Errorf("%d tokens were taken in a minute, wanted nearly 600", got)
		}
		mu.Unlock()
		cancel()
		all.Wait()
	})
}

// Who waits for a token holds a worker: of an environment that is one at a time, and not for long.
func TestOneLookUpOfAnEnvironmentWaitsAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := budgeted(t, 0.5)
		key := bucketKey{anAccount, aRegion, quotaTaskDefRead}
		spend(f, key)
		first := make(chan time.Duration)
		go func() { first <- lookUps(t.Context(), f, "production", key, 1) }()
		synctest.Wait()
		began := time.Now()
		if wait, ok := f.budget.takeSoon(t.Context(), "production", key); ok || time.Since(began) > 0 || wait < 200*time.Millisecond {
			t.Errorf("beside one that waits: %v and %s, after %s; wanted to be put off at once until two have had theirs", ok, wait, time.Since(began))
		}
		if took := <-first; took > 200*time.Millisecond {
			t.Errorf("the one that waits had its token after %s", took)
		}

		spend(f, key)
		shut := f.budget.throttled(key)
		began = time.Now()
		if wait, ok := f.budget.takeSoon(t.Context(), "production", key); ok || wait != shut || time.Since(began) > 0 {
			t.Errorf("from a bucket that is shut for %s: %v and %s, after %s", shut, ok, wait, time.Since(began))
		}
		time.Sleep(shut)

		spend(f, key)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		began = time.Now()
		if _, ok := f.budget.takeSoon(ctx, "production", key); ok || time.Since(began) > 20*time.Millisecond {
			t.Errorf("called off: %v, after %s", ok, time.Since(began))
		}
		if n := len(f.budget.bucket(key).rows[urgent].waiting); n > 0 {
			t.Errorf("%d are left in the row", n)
		}
	})
}
