package rollout

// Candidate is a service of a release that is to be decided about.
type Candidate struct {
	// Target is the name of its target in the spec, Wave that target's wave.
	Target string
	Wave   int32
	Input  Input
}

// Plan decides about all services of a release, in their order. Each is decided about by itself
// first; if the result holds a definite no anywhere (Preflight), or blocked is one already,
// none of them is started, and else only those whose wave is open. Blocked in the candidates'
// inputs is replaced.
func Plan(services []Candidate, blocked *Problem, campaign Campaign) []Decision {
	decisions := make([]Decision, len(services))
	placed := make([]Placed, len(services))
	decide := func(i int, blocked *Problem) {
		c := services[i]
		c.Input.Blocked = blocked
		decisions[i] = Decide(c.Input)
		placed[i] = Placed{Target: c.Target, Wave: c.Wave, Status: decisions[i].Memory}
	}
	for i := range services {
		decide(i, blocked)
	}
	if blocked != nil {
		return decisions
	}
	blocked = Preflight(placed)
	gates := map[int32]*Problem{}
	if blocked == nil {
		for _, wave := range wavesOf(placed) {
			gates[wave] = campaign.Gate(wave, placed)
		}
	}
	for i, c := range services {
		gate := gates[c.Wave]
		if blocked != nil {
			gate = blocked
		}
		// A definite no keeps its own words: it does not wait for itself.
		if gate != nil && stand(placed[i].Status) < standingWaiting {
			decide(i, gate)
		}
	}
	return decisions
}
