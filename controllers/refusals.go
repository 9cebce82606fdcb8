package controllers

import (
	"cmp"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// refusals remembers what AWS refused lately, so that it is not asked again at once. It is
// memory of this process only: a restart asks once more, which costs one refused call.
type refusals struct {
	mu    sync.Mutex
	slow  time.Duration
	known map[refusalKey]refusal
}

type refusalKey struct {
	owner    types.NamespacedName
	location rollout.Location
}

type refusal struct {
	generation int64
	inputs     string
	hash       string
	goal       rollout.Goal
	until      time.Time
	problem    *rollout.Problem
}

// note remembers a problem of a step and says when to try again. One that passes by itself is
// not remembered: its own time to wait is all there is to know.
func (r *refusals) note(p *pass, s *service, problem *rollout.Problem) time.Duration {
	if problem.Delay() {
		return cmp.Or(problem.RetryAfter, time.Second)
	}
	wait := max(problem.RetryAfter, r.slow)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = map[refusalKey]refusal{}
	}
	r.known[refusalKey{client.ObjectKeyFromObject(p.release), s.key.Location()}] = refusal{
		generation: p.release.Generation,
		inputs:     s.want.Inputs,
		hash:       s.decision.Step.Hash,
		goal:       s.goal,
		until:      time.Now().Add(wait),
		problem:    problem,
	}
	return soon
}

// of is what was refused for the service, nil when nothing was, or when the release or what it
// wants has changed since, or when it is time to ask again.
func (r *refusals) of(release *ecsv1alpha1.EcsRelease, s *service) *rollout.Problem {
	key := refusalKey{client.ObjectKeyFromObject(release), s.key.Location()}
	r.mu.Lock()
	defer r.mu.Unlock()
	known, ok := r.known[key]
	if !ok {
		return nil
	}
	wait := time.Until(known.until)
	// On the way back it is not the wanted content that is refused.
	another := s.goal != rollout.GoalRollback && s.want.Hash != "" && known.hash != s.want.Hash
	if wait <= 0 || known.generation != release.Generation || known.inputs != s.want.Inputs || known.goal != s.goal || another {
		delete(r.known, key)
		return nil
	}
	problem := *known.problem
	problem.RetryAfter = wait
	return &problem
}

// forget drops all that was refused for a release: its deletion, or a token that asks to look again.
func (r *refusals) forget(owner types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key := range r.known {
		if key.owner == owner {
			delete(r.known, key)
		}
	}
}
