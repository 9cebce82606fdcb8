package awssim

// examine is one health check, with the next one after it. A new target is healthy after
// one check that passes; otherwise the group's thresholds decide.
func (g *targetGroup) examine(m *groupMember) {
	if m.healthy() {
		m.passed, m.failed = m.passed+1, 0
		if m.state == stateInitial || m.state == stateUnhealthy && m.passed >= g.check.healthy {
			m.enter(stateHealthy, "")
		}
	} else {
		m.passed, m.failed = 0, m.failed+1
		if m.state != stateUnhealthy && m.failed >= g.check.unhealthy {
			m.enter(stateUnhealthy, g.failure(m))
		}
	}
	g.later(m, g.check.interval, func() { g.examine(m) })
}

// healthy is what a check of the target finds now.
func (m *groupMember) healthy() bool {
	switch {
	case m.ordered != nil:
		return m.ordered.Healthy
	case m.target.Healthy != nil:
		return m.target.Healthy()
	default:
		return true
	}
}

// failure is the reason of a check that fails.
func (g *targetGroup) failure(m *groupMember) string {
	switch {
	case m.ordered != nil && m.ordered.Reason != "":
		return m.ordered.Reason
	case g.check.protocol == "TCP":
		return "Target.FailedHealthChecks"
	default:
		return "Target.ResponseCodeMismatch"
	}
}

// health is a target's state and reason; nil is a target that is not registered.
func (g *targetGroup) health(m *groupMember) (state, reason string) {
	if m == nil {
		return stateUnused, "Target.NotRegistered"
	}
	return m.state, m.reason
}
