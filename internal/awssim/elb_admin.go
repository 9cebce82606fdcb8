package awssim

import (
	"fmt"
	"slices"
	"strings"
)

// TargetHealth is what the health checks of a registered target find from now on, whatever
// the target itself would answer.
type TargetHealth struct {
	TargetGroup string `json:"targetGroup"`      // ARN
	ID          string `json:"id"`               // of the target: an IP address or an instance
	Port        int    `json:"port,omitempty"`   // the group's if absent
	Healthy     bool   `json:"healthy"`          // what the checks find
	Reason      string `json:"reason,omitempty"` // of checks that fail; by protocol if absent
}

// failures are the reasons that a failed check may have.
var failures = []string{"Target.ResponseCodeMismatch", "Target.Timeout", "Target.FailedHealthChecks", "Elb.InternalError"}

// SetTargetHealth decides what the health checks of a registered target find. Its state
// follows from the group's interval and thresholds, as if the target itself had changed.
func (s *Simulator) SetTargetHealth(h TargetHealth) error {
	if h.Reason != "" && (h.Healthy || !slices.Contains(failures, h.Reason)) {
		return fmt.Errorf("reason %q: an unhealthy target may have one of %s, a healthy one none", h.Reason, strings.Join(failures, ", "))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	g := s.targetGroup(h.TargetGroup)
	if g == nil {
		return fmt.Errorf("there is no target group %q", h.TargetGroup)
	}
	m := g.members[memberKey{h.ID, g.portOr(h.Port)}]
	if m == nil {
		return fmt.Errorf("target %s, port %d, is not registered in %s", h.ID, g.portOr(h.Port), h.TargetGroup)
	}
	m.ordered = &h
	return nil
}

// ClearTargetHealth lets the health checks find again what the targets themselves answer.
func (s *Simulator) ClearTargetHealth() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	for _, a := range s.accounts {
		for _, r := range a.regions {
			for _, g := range r.elb.groups {
				for _, m := range g.members {
					m.ordered = nil
				}
			}
		}
	}
}

// targetGroup finds a group by its ARN, wherever it is.
func (s *Simulator) targetGroup(arn string) *targetGroup {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || s.accounts[parts[4]] == nil || s.accounts[parts[4]].regions[parts[3]] == nil {
		return nil
	}
	return s.accounts[parts[4]].regions[parts[3]].elb.groups[arn]
}

// TargetState is a registered target as its load balancer sees it.
type TargetState struct {
	TargetGroup string `json:"targetGroup"`
	ID          string `json:"id"`
	Port        int    `json:"port"`
	State       string `json:"state"`
	Reason      string `json:"reason,omitempty"`
}

// Targets lists the registered targets of all accounts and regions.
func (s *Simulator) Targets() []TargetState {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	targets := []TargetState{}
	for _, a := range s.accounts {
		for _, r := range a.regions {
			for arn, g := range r.elb.groups {
				for key, m := range g.members {
					targets = append(targets, TargetState{TargetGroup: arn, ID: key.id, Port: key.port, State: m.state, Reason: m.reason})
				}
			}
		}
	}
	slices.SortFunc(targets, func(a, b TargetState) int {
		return strings.Compare(fmt.Sprintf("%s %s %05d", a.TargetGroup, a.ID, a.Port), fmt.Sprintf("%s %s %05d", b.TargetGroup, b.ID, b.Port))
	})
	return targets
}
