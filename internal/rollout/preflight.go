package rollout

import (
	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

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
