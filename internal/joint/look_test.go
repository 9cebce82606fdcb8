package joint

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// world is what is looked at: a number that grows by one a second. A look at it takes long enough for many to ask
// meanwhile.
type world struct {
	began time.Time
	looks atomic.Int32
}

func (w *world) look(ctx context.Context) int {
	w.looks.Add(1)
	seen := int(time.Since(w.began) / time.Second)
	select {
	case <-ctx.Done():
		return -1
	case <-time.After(2500 * time.Millisecond):
		return seen
	}
}

func TestThoseWhoAskAtOnceShareALookThatIsNoOlderThanTheirQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{began: time.Now()}
		var looks Looks[int]
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 20 * time.Millisecond)
				asked := time.Now()
				seen, err := looks.Look(t.Context(), "world", asked, w.look)
				if err != nil || seen < int(asked.Sub(w.began)/time.Second) {
					t.Errorf("asked after %s it says %d (%v)", asked.Sub(w.began), seen, err)
				}
				if took := time.Since(asked); took > 5*time.Second {
					t.Errorf("it took %s, wanted two looks at most", took)
				}
			})
		}
		all.Wait()
		if n := w.looks.Load(); n != 2 {
			t.Errorf("it was looked %d times, wanted twice", n)
		}
		if seen, err := looks.Look(t.Context(), "another", time.Now(), w.look); err != nil || seen != 5 {
			t.Errorf("afterwards it says %d (%v), wanted 5", seen, err)
		}
	})
}

func TestALookThatBeganSinceIsGoodEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{began: time.Now()}
		var looks Looks[int]
		go func() { _, _ = looks.Look(t.Context(), "world", time.Now(), w.look) }()
		time.Sleep(time.Second)
		seen, err := looks.Look(t.Context(), "world", w.began, w.look)
		if err != nil || seen != 0 || w.looks.Load() != 1 {
			t.Errorf("it says %d (%v) after %d looks, wanted what the first one saw", seen, err, w.looks.Load())
		}
	})
}

func TestWhoLeavesTakesNobodyAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{began: time.Now()}
		var looks Looks[int]
		reason := errors.New("gone")
		leaving, leave := context.WithCancelCause(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if seen, err := looks.Look(leaving, "world", time.Now(), w.look); !errors.Is(err, reason) && seen != -1 {
				t.Errorf("who left was told %d (%v)", seen, err)
			}
		})
		all.Go(func() {
			time.Sleep(time.Second)
			if seen, err := looks.Look(t.Context(), "world", w.began, w.look); err != nil || seen != 2 {
				t.Errorf("who stayed was told %d (%v), wanted what was seen after the other one had left", seen, err)
			}
		})
		time.Sleep(2 * time.Second)
		leave(reason)
		all.Wait()
	})
}

func TestAPanicIsThatOfWhoeverMadeTheLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{began: time.Now()}
		var looks Looks[int]
		var all sync.WaitGroup
		all.Go(func() {
			defer func() {
				if problem, _ := recover().(string); !strings.HasPrefix(problem, "no such thing\n") || !strings.Contains(problem, "TestAPanic") {
					t.Errorf("it panicked with %q, wanted what the look panicked with, and where", problem)
				}
			}()
			_, err := looks.Look(t.Context(), "world", time.Now(), func(context.Context) int {
				time.Sleep(2 * time.Second)
				panic("no such thing")
			})
			t.Errorf("it came back (%v)", err)
		})
		all.Go(func() {
			time.Sleep(time.Second)
			if seen, err := looks.Look(t.Context(), "world", w.began, w.look); err != nil || seen != 2 {
				t.Errorf("another was told %d (%v), wanted what it saw itself", seen, err)
			}
		})
		all.Wait()
	})
}
