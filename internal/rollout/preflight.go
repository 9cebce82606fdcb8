package rollout

import (
	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Candidate is a service of a release that is to be decided about.
type Candidate struct {
	// Target is the name of its target in the spec.
	Target string
	Input  Input
}

// Plan decides about all services of a release, in their order. Each is decided about by itself
// first; if the result holds a definite no anywhere (Preflight), or blocked is one already,
// none of them is started. Blocked in the candidates' inputs is replaced.
func Plan(services []Candidate, blocked *Problem) []Decision {
	decisions := make([]Decision, len(services))
	placed := make([]Placed, len(services))
	decide := func(i int) {
		c := services[i]
		c.Input.Blocked = blocked
		decisions[i] = Decide(c.Input)
		placed[i] = Placed{Target: c.Target, Status: decisions[i].Memory}
	}
	for i := range services {
		decide(i)
	}
	if blocked != nil {
		return decisions
	}
	if blocked = Preflight(placed); blocked != nil {
		for i := range services {
			// A definite no keeps its own words: it does not wait for itself.
			if stand(placed[i].Status) < standingWaiting {
				decide(i)
			}
		}
	}
	return decisions
}

// Preflight is the first definite no among services, each decided about by itself: one that is
// not there, that cannot take the image, that refuses it, that failed with it, or whose region
// lacks the image. While there is one, nothing is started in the whole release, so that it does
// not end half way. nil: open. A service of which nothing is known holds up only itself.
func Preflight(services []Placed) *Problem {
	for _, p := range services {
		if stand(p.Status) < standingWaiting {
			continue
		}
		reason := p.Status.Reason
		if reason == "" {
			reason = ecsv1alpha1.ReasonProgressing
		}
		return &Problem{Class: ProblemRefused, Reason: reason, Message: p.String() + ": " + p.Status.Message}
	}
	return nil
}
