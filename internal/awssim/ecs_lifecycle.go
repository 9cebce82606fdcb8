package awssim

import (
	"fmt"
	"slices"
	"time"
)

// lifecycle is the way of a service deployment through its stages. A ROLLING deployment has
// one only where hooks need it; then it shifts no traffic.
type lifecycle struct {
	settings   deploymentSettings // as they were when the deployment was asked for
	stages     []lifecycleStage
	at         int
	entered    bool
	until      time.Time // the stage lasts at least till then
	hooks      []*hookRun
	production float64 // percent of the production traffic that is for the new revision
	test       float64 // of the test traffic
	back       string  // the stage of the rollback
}

// lifecycleStage is one step; PRODUCTION_TRAFFIC_SHIFT and the stage before it come once for
// every step of the traffic.
type lifecycleStage struct {
	name   string
	weight float64       // of PRODUCTION_TRAFFIC_SHIFT
	hold   time.Duration // how long it lasts on purpose
}

const (
	stageReconcile      = "RECONCILE_SERVICE"
	stagePreScaleUp     = "PRE_SCALE_UP"
	stageScaleUp        = "SCALE_UP"
	stagePostScaleUp    = "POST_SCALE_UP"
	stageTestShift      = "TEST_TRAFFIC_SHIFT"
	stagePostTest       = "POST_TEST_TRAFFIC_SHIFT"
	stagePreProduction  = "PRE_PRODUCTION_TRAFFIC_SHIFT"
	stageProduction     = "PRODUCTION_TRAFFIC_SHIFT"
	stagePostProduction = "POST_PRODUCTION_TRAFFIC_SHIFT"
	stageBake           = "BAKE_TIME"
	stageCleanUp        = "CLEAN_UP"

	// stageMost is how long a stage may last, and deploymentMost all of them together
	// ("Amazon ECS blue/green service deployments workflow"). Pauses and bake times have
	// limits of their own.
	stageMost      = 24 * time.Hour
	deploymentMost = 30 * 24 * time.Hour
)

// newLifecycle plans the stages of a deployment; nil for one without.
func (s *service) newLifecycle(sd *serviceDeployment) *lifecycle {
	if s.controller != "ECS" || !s.rollout.shifts() && len(s.rollout.hooks) == 0 {
		return nil
	}
	l := &lifecycle{settings: s.rollout}
	active := 0
	for _, d := range sd.sources {
		if d == s.completed || len(s.of(d, func(*task) bool { return true })) > 0 {
			active++
		}
	}
	if active > 1 || active == 1 && s.completed == nil {
		l.add(stageReconcile)
	}
	l.add(stagePreScaleUp, stageScaleUp, stagePostScaleUp)
	bake := lifecycleStage{name: stageBake, hold: time.Duration(s.rollout.bakeMinutes) * time.Minute}
	if !s.rollout.shifts() {
		bake.hold = s.rollingBake(sd)
		l.stages = append(l.stages, bake)
		return l
	}
	l.add(stageTestShift, stagePostTest)
	for _, weight := range s.rollout.weights() {
		shift := lifecycleStage{name: stageProduction, weight: weight}
		if weight < 100 {
			shift.hold = time.Duration(s.rollout.stepBakeMinutes()) * time.Minute
		}
		l.add(stagePreProduction)
		l.stages = append(l.stages, shift)
	}
	l.add(stagePostProduction)
	l.stages = append(l.stages, bake)
	l.add(stageCleanUp)
	return l
}

func (l *lifecycle) add(names ...string) {
	for _, name := range names {
		l.stages = append(l.stages, lifecycleStage{name: name})
	}
}

func (l *lifecycle) shifts() bool { return l != nil && l.settings.shifts() }

func (l *lifecycle) stage() lifecycleStage { return l.stages[min(l.at, len(l.stages)-1)] }

// past tells whether a stage of that name has begun.
func (l *lifecycle) past(name string) bool {
	i := slices.IndexFunc(l.stages, func(stage lifecycleStage) bool { return stage.name == name })
	return i >= 0 && l.at >= i
}

// shown is lifecycleStage as the service deployment shows it, "" for none.
func (l *lifecycle) shown(options ECSOptions) string {
	switch {
	case l == nil || !l.entered && l.at == 0:
		return ""
	case l.back != "":
		return l.back
	case options.HidePreProductionStage && l.stage().name == stagePreProduction:
		return stageProduction
	default:
		return l.stage().name
	}
}

// progress takes a deployment on through its stages, at most one at a time.
func (s *service) progress(p *deployment) {
	w := s.state.world
	sd := p.serviceDeployment
	l := sd.lifecycle
	s.staff(p)
	if sd.status != "IN_PROGRESS" { // a rollback is about to begin, or nothing goes on
		return
	}
	switch {
	case !l.entered:
		s.enter(p)
	case l.paused(): // ContinueServiceDeployment or the timeout goes on
	case w.now().Before(l.until):
		s.pokeAt(l.until)
	case !s.through(p):
	case l.at == len(l.stages)-1:
		s.finish(p)
	default:
		l.at++
		s.enter(p)
	}
}

// enter begins the stage that the lifecycle is at.
func (s *service) enter(p *deployment) {
	w := s.state.world
	sd := p.serviceDeployment
	l := sd.lifecycle
	stage := l.stage()
	l.entered, sd.updatedAt = true, w.now()
	problem := ""
	switch {
	case !l.shifts():
	case stage.name == stagePreScaleUp:
		problem = s.checkNetwork()
	case stage.name == stageTestShift:
		l.test = 100
		problem = s.shift(p.revision, 100, testRule)
	case stage.name == stageProduction:
		l.production = stage.weight
		problem = s.shift(p.revision, stage.weight, productionRule)
	}
	if problem != "" {
		s.abandon(p, failure{
			why: "Service deployment rolled back because of invalid networking configuration. " + problem, detector: "ECS deployment",
		})
		return
	}
	for _, hook := range l.settings.hooks {
		if slices.Contains(hook.stages, stage.name) {
			s.pause(p, hook)
		}
	}
	dwell := s.state.between(3*time.Second, 6*time.Second)
	l.until = w.now().Add(w.scale(dwell + stage.hold))
	s.poke(dwell + stage.hold)
	s.limit(p, stage.hold+stageMost)
	s.staff(p)
}

// limit rolls the deployment back when the stage is not through by then; a pause ends by its
// own timeout, after which the stage is limited anew.
func (s *service) limit(p *deployment, d time.Duration) {
	sd := p.serviceDeployment
	at := sd.lifecycle.at
	s.state.world.after(d, func() {
		if sd.status != "IN_PROGRESS" || sd.lifecycle.at != at || sd.lifecycle.paused() {
			return
		}
		s.abandon(p, failure{
			why:      fmt.Sprintf("Service deployment rolled back because the lifecycle stage %s timed out.", sd.lifecycle.stage().name),
			detector: "ECS deployment",
		})
		s.touch()
	})
}

// limitAll rolls the deployment back when it is not through after the longest time that one
// may take.
func (s *service) limitAll(p *deployment) {
	sd := p.serviceDeployment
	s.state.world.after(deploymentMost, func() {
		if sd.status == "IN_PROGRESS" {
			s.abandon(p, failure{why: "Service deployment rolled back because the service deployment timed out.", detector: "ECS deployment"})
			s.touch()
		}
	})
}
