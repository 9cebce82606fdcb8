// Package joint makes a look once for all who want the same one at the same time.
package joint

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"golang.org/x/sync/singleflight"
)

// Looks are looks that are being made, each known by a key. The zero value has none. All methods may be
// called concurrently.
type Looks[T any] struct{ flights singleflight.Group }

// landed is what came of a look.
type landed[T any] struct {
	value T
	began time.Time
	cut   bool   // short, with whoever made it
	panic string // what it panicked with, and where; "": it did not
}

// Look is what comes of a look that begins at notBefore or later: one that somebody else is making with the
// same key, or one of our own. With the time of the call as notBefore it is never older than the question,
// and however many ask at once wait for two looks at most, and for one more after each that was cut short. The
// error is the cause of the end of ctx. A look that ends with the ctx of whoever made it, or panics, tells nobody
// else anything; the panic is that of whoever made it, if they still wait.
func (l *Looks[T]) Look(ctx context.Context, key string, notBefore time.Time, look func(context.Context) T) (T, error) {
	for {
		mine := make(chan struct{}, 1)
		flight := l.flights.DoChan(key, func() (any, error) {
			mine <- struct{}{}
			return land(ctx, look), nil
		})
		select {
		case <-ctx.Done():
			var none T
			return none, context.Cause(ctx)
		case result := <-flight:
			got, _ := result.Val.(landed[T])
			if len(mine) > 0 && got.panic != "" {
				panic(got.panic)
			}
			if len(mine) > 0 || !got.cut && !got.began.Before(notBefore) {
				return got.value, nil
			}
		}
	}
}

// land makes a look. A panic in it is part of what came of it: here nobody would recover.
func land[T any](ctx context.Context, look func(context.Context) T) (got landed[T]) {
	defer func() {
		if problem := recover(); problem != nil {
			got.panic = fmt.Sprintf("%v\n\n%s", problem, debug.Stack())
		}
		got.cut = ctx.Err() != nil || got.panic != ""
	}()
	got.began = time.Now()
	got.value = look(ctx)
	return got
}
