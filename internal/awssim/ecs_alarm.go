package awssim

import (
	"strings"
	"time"
)

// alarmWatch is what a service deployment has to do with CloudWatch alarms.
type alarmWatch struct {
	status    string // DISABLED, MONITORING, TRIGGERED, MONITORING_COMPLETE
	names     []string
	triggered []string
	rollback  bool
}

// alarmPoll is how often ECS looks at the alarms.
const alarmPoll = 10 * time.Second

// newAlarmWatch is the watch that a deployment begins with: none if an alarm rings already,
// so that a fix can be deployed.
func (s *service) newAlarmWatch() alarmWatch {
	a := alarmWatch{status: "DISABLED", names: s.rollout.alarmNames, rollback: s.rollout.alarmRollback}
	if len(a.names) > 0 && len(s.ringing(a.names)) == 0 {
		a.status = "MONITORING"
	}
	return a
}

// ringing are those of the alarms that are in ALARM.
func (s *service) ringing(names []string) []string {
	var found []string
	for _, name := range names {
		if state, exists := s.state.region.alarmState(name); exists && state == "ALARM" {
			found = append(found, name)
		}
	}
	return found
}

// watchAlarms looks at the alarms for as long as the deployment is in progress, its bake time
// included.
func (s *service) watchAlarms(sd *serviceDeployment) {
	if sd.alarms.status != "MONITORING" {
		return
	}
	s.state.world.after(alarmPoll, func() {
		if sd.alarms.status != "MONITORING" || sd.status != "PENDING" && sd.status != "IN_PROGRESS" {
			return
		}
		if ringing := s.ringing(sd.alarms.names); len(ringing) > 0 {
			sd.alarms.status, sd.alarms.triggered = "TRIGGERED", ringing
			s.alarmed(sd.deployment)
			s.touch()
			return
		}
		s.watchAlarms(sd)
	})
}

// alarmed fails a deployment whose alarms were triggered.
func (s *service) alarmed(d *deployment) {
	sd := d.serviceDeployment
	names := strings.Join(sd.alarms.triggered, ", ")
	f := failure{
		event: "alarm detected.", reason: "ECS deployment failed: alarm detected.", detector: "ECS deployment alarm",
		why: "Service deployment rolled back because of the CloudWatch alarm(s) " + names + ".",
	}
	if sd.alarms.rollback {
		s.abandon(d, f)
		return
	}
	s.event("(deployment %s) deployment failed: %s", d.id, f.event)
	d.fail(f.reason)
	sd.requestStop("Service deployment stopped because of the CloudWatch alarm(s) " + names + ".")
	s.poke(s.state.between(time.Second, 3*time.Second))
}

// rollingBake is how long a ROLLING deployment is watched after its last step.
func (s *service) rollingBake(sd *serviceDeployment) time.Duration {
	if sd.alarms.status == "MONITORING" && !s.rollout.bakeChosen {
		return s.state.world.ecs.options.alarmBakeTime()
	}
	return time.Duration(s.rollout.bakeMinutes) * time.Minute
}
