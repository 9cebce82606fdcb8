package controllers

import (
	"context"
	"strings"
	"sync"

	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/rollout"
)

// lookups answers each question about an image once in a pass: all services of a region ask the
// same, and together they would use up ECR's quota. The zero value has answered nothing yet.
type lookups struct {
	mu    sync.Mutex
	known map[question]*answered
}

type question struct {
	identity                                  cloud.Identity
	registry, region, repository, tag, digest string
	mutability                                bool
	labels, architectures                     string
}

func questionOf(identity cloud.Identity, q cloud.ImageQuery) question {
	return question{
		identity: identity, registry: q.Registry, region: q.Region, repository: q.Repository, tag: q.Tag, digest: q.Digest,
		mutability: q.Mutability, labels: strings.Join(q.Labels, "\x00"), architectures: strings.Join(q.Architectures, "\x00"),
	}
}

// answered is an answer once done is closed. It is a channel because tests in virtual time see
// through the wait for one, and not through that for a mutex.
type answered struct {
	done    chan struct{}
	image   cloud.Image
	problem *rollout.Problem
}

// image is what the registry says of an image; the caller must not change it.
func (l *lookups) image(ctx context.Context, fleet *cloud.Fleet, identity cloud.Identity, query cloud.ImageQuery) (cloud.Image, *rollout.Problem) {
	asked := questionOf(identity, query)
	l.mu.Lock()
	if l.known == nil {
		l.known = map[question]*answered{}
	}
	answer, ok := l.known[asked]
	if !ok {
		answer = &answered{done: make(chan struct{})}
		l.known[asked] = answer
	}
	l.mu.Unlock()
	if ok {
		<-answer.done
	} else {
		answer.image, answer.problem = fleet.Image(ctx, identity, query)
		close(answer.done)
	}
	return answer.image, answer.problem
}
