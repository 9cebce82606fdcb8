package simulation

import (
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// act is something that happens at a time.
type act struct {
	at   time.Time
	turn int // of those at the same time
	do   func()
	// spare says that the script does not go on only for this.
	spare bool
}

// script is what will happen, the next first.
type script struct {
	acts  []act
	turns int
	bound int // how many acts there are that are not spare
}

func (s *script) Len() int { return len(s.acts) }
func (s *script) Less(i, j int) bool {
	if s.acts[i].at.Equal(s.acts[j].at) {
		return s.acts[i].turn < s.acts[j].turn
	}
	return s.acts[i].at.Before(s.acts[j].at)
}
func (s *script) Swap(i, j int) { s.acts[i], s.acts[j] = s.acts[j], s.acts[i] }
func (s *script) Push(x any)    { s.acts = append(s.acts, x.(act)) }
func (s *script) Pop() any {
	last := s.acts[len(s.acts)-1]
	s.acts = s.acts[:len(s.acts)-1]
	return last
}

func (s *script) add(at time.Time, do func()) {
	s.turns++
	s.bound++
	heap.Push(s, act{at: at, turn: s.turns, do: do})
}

// offer adds what need not be waited for once all else is done.
func (s *script) offer(at time.Time, do func()) {
	s.turns++
	heap.Push(s, act{at: at, turn: s.turns, do: do, spare: true})
}

// next takes what is due first.
func (s *script) next() act {
	first := heap.Pop(s).(act)
	if !first.spare {
		s.bound--
	}
	return first
}

// author makes up what happens; every choice is the seed's.
type playwright struct {
	world  *world
	random *rand.Rand
	script *script
}

// write fills the script with events of some hours, closer together here and farther apart
// there, and says when the last of them is.
func (w *world) write(s *script) time.Time {
	p := &playwright{world: w, random: w.random("script"), script: s}
	at := time.Now().Add(time.Duration(10+p.random.IntN(300)) * time.Second)
	for range 12 + p.random.IntN(14) {
		p.event(at)
		at = at.Add(p.pause())
	}
	return at
}

func (p *playwright) pause() time.Duration {
	switch n := p.random.IntN(10); {
	case n < 4:
		return p.between(500*time.Millisecond, time.Minute)
	case n < 8:
		return p.between(time.Minute, 20*time.Minute)
	default:
		return p.between(20*time.Minute, 3*time.Hour)
	}
}

func (p *playwright) between(least, most time.Duration) time.Duration {
	return least + time.Duration(p.random.Int64N(int64(most-least)))
}

// pick takes one of several.
func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// event puts one event into the script.
func (p *playwright) event(at time.Time) {
	events := []struct {
		weight int
		write  func(time.Time)
	}{
		{30, p.newImage},
		{6, p.oldImage},
		{6, p.suspension},
		{10, p.command},
		{4, p.recreation},
		{5, p.oddity},
		{8, p.foreignDeployment},
		{4, p.foreignRegistration},
		{6, p.scaling},
		{3, p.deregistration},
		{2, p.movedTag},
		{3, p.arrival},
		{22, p.awsTrouble},
		{14, p.kubeTrouble},
		{10, p.crash},
		{4, p.restart},
		{4, p.sleep},
	}
	sum := 0
	for _, e := range events {
		sum += e.weight
	}
	n := p.random.IntN(sum)
	for _, e := range events {
		if n -= e.weight; n < 0 {
			e.write(at)
			return
		}
	}
}

// victim is one of the releases that things happen to.
func (p *playwright) victim() *subject {
	var victims []*subject
	for _, s := range p.world.subjects {
		if !s.bystander {
			victims = append(victims, s)
		}
	}
	return pick(p.random, victims)
}

// at puts something that is done to a release into the script.
func (p *playwright) user(at time.Time, do func(), format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	p.script.add(at, func() {
		p.world.story.tell("user", "%s", what)
		do()
	})
}

func (p *playwright) newImage(at time.Time) {
	natures := []nature{good, good, good, good, good, slow, crashing, crashing, outOfMem, unhealthy, unpullable, unplaced, secretless, erring, alarming, missing, late, foreignCPU, twoFaced}
	s, n := p.victim(), pick(p.random, natures)
	p.script.add(at, func() {
		tag, err := p.world.images.next(n)
		if err != nil {
			p.world.story.violate("the script can be played", "pushing an image: %v", err)
			return
		}
		p.world.coverage.count("image", string(n))
		p.world.story.tell("user", "asks for %s (%s) in %s", tag, n, s.key)
		s.bump(tag)
		if n == alarming {
			p.alarm(s)
		}
	})
}

// alarm has the alarms of a release's services go off a while after an image was deployed, and
// stop after another while.
func (p *playwright) alarm(s *subject) {
	for i, place := range s.places {
		if place.alarm == "" {
			continue
		}
		ring := func(state cloudwatchtypes.StateValue) func() {
			return func() {
				p.world.story.tell("alarm", "%s is %s", place.alarm, state)
				if err := p.world.ring(place, state); err != nil {
					p.world.story.violate("the script can be played", "%v", err)
				}
			}
		}
		at := time.Now().Add(time.Duration(50+20*i) * time.Second)
		p.script.add(at, ring(cloudwatchtypes.StateValueAlarm))
		p.script.add(at.Add(15*time.Minute), ring(cloudwatchtypes.StateValueOk))
	}
}

func (p *playwright) oldImage(at time.Time) {
	s, back := p.victim(), 2+p.random.IntN(2)
	p.script.add(at, func() {
		tag := s.tags[max(0, len(s.tags)-back)]
		p.world.story.tell("user", "goes back to %s (%s) in %s", tag, p.world.images.natureOf(tag), s.key)
		s.bump(tag)
	})
}

func (p *playwright) suspension(at time.Time) {
	s := p.victim()
	p.user(at, func() { s.edit(func(spec *ecsv1alpha1.EcsReleaseSpec) { spec.Suspend = true }) }, "suspends %s", s.key)
	if p.random.IntN(4) > 0 {
		p.user(at.Add(p.between(time.Second, time.Hour)), func() {
			s.edit(func(spec *ecsv1alpha1.EcsReleaseSpec) { spec.Suspend = false })
		}, "resumes %s", s.key)
	}
}

func (p *playwright) command(at time.Time) {
	s := p.victim()
	kind := pick(p.random, []string{"reconcile", "retry", "retry", "restart", "abort", "approve", "approve", "hold", "release-hold", "garbage"})
	garbage := pick(p.random, []string{"hold", "hold", "approve", "do-it", "release-hold"})
	p.script.add(at, func() {
		w := p.world
		w.coverage.count("command", kind)
		switch kind {
		case "approve":
			s.approve()
		case "hold":
			w.story.tell("user", "holds the previous release of %s", s.key)
			s.command(kind, w.token(kind)+"/previous")
		case "garbage":
			value := w.token("x") + "/" + strings.Repeat("9", 1+int(time.Since(w.began)/time.Minute)%40)
			w.story.tell("user", "says %s=%s to %s", garbage, value, s.key)
			s.command(garbage, value)
		default:
			w.story.tell("user", "says %s to %s", kind, s.key)
			s.command(kind, w.token(kind))
		}
	})
}

func (p *playwright) recreation(at time.Time) {
	s := p.victim()
	p.user(at, s.remove, "deletes %s", s.key)
	p.user(at.Add(p.between(time.Second, 30*time.Minute)), s.create, "creates %s again", s.key)
}

// foreignDeployment has somebody else deploy, and in one of three cases once more within the hour.
func (p *playwright) foreignDeployment(at time.Time) {
	s := p.victim()
	place := pick(p.random, s.places)
	other := p.random.IntN(3) == 0
	times := 1
	if p.random.IntN(3) == 0 {
		times, other = 2, true
	}
	for range times {
		colour := pick(p.random, []string{"red", "green", "white"})
		p.script.add(at, func() { p.deployByHand(s, place, colour, other) })
		at = at.Add(p.between(4*time.Minute, 50*time.Minute))
	}
}

// deployByHand deploys a new revision with the image that the release asks for, or with the first.
func (p *playwright) deployByHand(s *subject, place place, colour string, other bool) {
	w := p.world
	tag := s.asks()
	if other || w.images.natureOf(tag) != good {
		tag = "v0"
	}
	name, err := w.register(place, place.ecr()+"/"+repository+":"+tag, colour)
	if err == nil {
		_, err = w.ecs(place.realm.account, place.region).UpdateService(context.Background(), &ecs.UpdateServiceInput{
			Cluster: &place.cluster, Service: &place.service, TaskDefinition: &name,
		})
	}
	if err != nil {
		w.story.violate("the script can be played", "deploying to %s by hand: %v", place, err)
	}
	w.coverage.count("foreign", "deployment")
	w.story.tell("foreigner", "deploys %s (%s, %s) to %s", name, tag, colour, place)
}

// foreignRegistration registers a revision and deploys nothing, as Terraform does.
func (p *playwright) foreignRegistration(at time.Time) {
	place := pick(p.random, p.victim().places)
	colour := pick(p.random, []string{"red", "green", "white"})
	p.script.add(at, func() {
		w := p.world
		name, err := w.register(place, place.ecr()+"/"+repository+":v0", colour)
		if err != nil {
			w.story.violate("the script can be played", "%v", err)
		}
		w.coverage.count("foreign", "registration")
		w.story.tell("foreigner", "registers %s (%s) in %s", name, colour, place.region)
	})
}

func (p *playwright) scaling(at time.Time) {
	place, desired := pick(p.random, p.victim().places), int32(p.random.IntN(5))
	p.script.add(at, func() {
		p.world.story.tell("scaler", "%s wants %d tasks", place, desired)
		_, err := p.world.ecs(place.realm.account, place.region).UpdateService(context.Background(), &ecs.UpdateServiceInput{
			Cluster: &place.cluster, Service: &place.service, DesiredCount: &desired,
		})
		if err != nil {
			p.world.story.violate("the script can be played", "scaling %s: %v", place, err)
		}
		p.world.coverage.count("foreign", "scaling")
	})
}

func (p *playwright) deregistration(at time.Time) {
	place := pick(p.random, p.victim().places)
	p.script.add(at, func() {
		name := p.world.ledger.newest(place)
		if name == "" {
			return
		}
		p.world.story.tell("foreigner", "deregisters %s in %s", name, place.region)
		_, err := p.world.ecs(place.realm.account, place.region).DeregisterTaskDefinition(context.Background(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String(name)})
		if err != nil {
			p.world.story.violate("the script can be played", "deregistering %s: %v", name, err)
		}
		p.world.coverage.count("foreign", "deregistration")
	})
}

func (p *playwright) movedTag(at time.Time) {
	s := p.victim()
	p.script.add(at, func() {
		tag := s.asks()
		if p.world.images.natureOf(tag) != good {
			return
		}
		p.world.story.tell("foreigner", "pushes another image as %s", tag)
		if err := p.world.images.move(tag); err != nil {
			p.world.story.violate("the script can be played", "moving a tag: %v", err)
		}
		p.world.coverage.count("foreign", "moved-tag")
	})
}

func (p *playwright) arrival(at time.Time) {
	s := p.victim()
	p.script.add(at, func() {
		tag := s.asks()
		if n := p.world.images.natureOf(tag); n != missing && n != late {
			return
		}
		p.world.story.tell("foreigner", "pushes %s at last", tag)
		if err := p.world.images.arrive(tag); err != nil {
			p.world.story.violate("the script can be played", "pushing %s: %v", tag, err)
		}
		p.world.coverage.count("foreign", "arrival")
	})
}

// awsTrouble has calls of AWS go wrong, of several operations at about the same time.
func (p *playwright) awsTrouble(at time.Time) {
	for range 1 + p.random.IntN(4) {
		p.awsFault(at)
		at = at.Add(p.between(time.Second, 5*time.Minute))
	}
}

func (p *playwright) awsFault(at time.Time) {
	operations, lasts, share, times := awsReads, p.between(5*time.Second, 25*time.Minute), 1.0, 0
	switch p.random.IntN(3) {
	case 0:
		times = 1 + p.random.IntN(4)
	case 1:
		share = 0.2 + 0.6*p.random.Float64()
	}
	switch p.random.IntN(8) {
	case 0, 1, 2:
		operations = awsWrites
	case 3, 4:
		operations = awsRareReads
	case 5:
		operations = awsRareWrites
	}
	operation, kind := pick(p.random, operations), pick(p.random, awsKinds)
	if slices.Contains(awsRareReads, operation) || slices.Contains(awsRareWrites, operation) {
		lasts, share, times = p.between(time.Hour, 10*time.Hour), 1.0, 1+p.random.IntN(4)
	}
	seed, length := p.random.Uint64(), p.between(500*time.Millisecond, 6*time.Second)
	if kind == "stale" {
		length = p.between(2*time.Second, 3*time.Minute)
	}
	if !afflicts(kind, operation) {
		kind = "error"
	}
	var id string
	p.script.add(at, func() {
		p.world.story.tell("fault", "AWS %s of %s, %.0f%% of the calls, for %s", kind, operation, 100*share, lasts.Round(time.Second))
		id = p.world.awsFaults.add(kind, operation, share, times, seed, length)
	})
	p.script.offer(at.Add(lasts), func() { p.world.awsFaults.remove(id) })
}

// kubeTrouble has calls of Kubernetes go wrong, of several kinds at about the same time.
func (p *playwright) kubeTrouble(at time.Time) {
	for range 1 + p.random.IntN(3) {
		p.kubeFault(at)
		at = at.Add(p.between(time.Second, 5*time.Minute))
	}
}

func (p *playwright) kubeFault(at time.Time) {
	lasts := p.between(5*time.Second, 15*time.Minute)
	w := p.world
	switch p.random.IntN(8) {
	case 0:
		lag := p.between(time.Second, time.Minute)
		p.script.add(at, func() {
			w.story.tell("fault", "watches lag by %s for %s", lag.Round(time.Second), lasts.Round(time.Second))
			w.coverage.count("kube", "lag:watch")
			w.kubeFaults.setLag(lag)
		})
		p.script.offer(at.Add(lasts), func() { w.kubeFaults.setLag(0) })
	case 1:
		p.script.add(at, func() {
			w.story.tell("fault", "watches are cut and their past is forgotten")
			w.coverage.count("kube", "expired:watch")
			w.kube.Compact()
			for _, process := range w.alive {
				w.kube.CutWatches(process.name)
			}
		})
	default:
		fault := kubeFault{kind: pick(p.random, kubeKinds), call: kubeCalls[0], share: 0.2 + 0.8*p.random.Float64(), delay: p.between(time.Second, 40*time.Second)}
		if p.random.IntN(2) == 0 {
			fault.call = pick(p.random, kubeCalls)
		}
		if fault.call == "get leases" {
			lasts = p.between(time.Hour, 4*time.Hour) // it is called by a process that begins
		}
		if !disturbs(fault.kind, fault.call) {
			fault.kind = "error"
		}
		var id int
		p.script.add(at, func() {
			w.story.tell("fault", "kube %s of %s, %.0f%% of the calls, for %s", fault.kind, fault.call, 100*fault.share, lasts.Round(time.Second))
			id = w.kubeFaults.open(fault)
		})
		p.script.offer(at.Add(lasts), func() { w.kubeFaults.close(id) })
	}
}

// crash kills the process soon after an event, between any two of its calls.
func (p *playwright) crash(at time.Time) {
	crossings := 1 + p.random.IntN(40)
	p.script.add(at, func() {
		if process := p.world.actor(); process != nil {
			process.border.killAfter(crossings)
			p.world.coverage.count("process", "crash")
		}
	})
}

// restart ends the process as an update of it does.
func (p *playwright) restart(at time.Time) {
	p.script.add(at, func() {
		if process := p.world.actor(); process != nil {
			p.world.story.tell("process", "%s is told to end", process.name)
			p.world.coverage.count("process", "restart")
			process.cancel()
		}
	})
}

// sleep puts the process to sleep, has another take over, and wakes it up beside that one.
func (p *playwright) sleep(at time.Time) {
	after := p.between(time.Second, 2*leaseDuration)
	p.script.add(at, func() {
		w := p.world
		sleeper := w.doze(p.script, after)
		if sleeper == nil {
			return
		}
		w.coverage.count("process", "sleep")
		if w.running(sleeper.manager) == 1 {
			w.mustStart(sleeper.manager)
		}
	})
}
