package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// subject is a release as its users know it.
type subject struct {
	world     *world
	key       types.NamespacedName
	realm     *realm
	places    []place
	bystander bool
	rival     bool

	spec   ecsv1alpha1.EcsReleaseSpec
	tags   []string // that it asked for, the newest last
	tokens []token
	taken  []ecsv1alpha1.Target
	// misspelled says that the spec has a mistake in it.
	misspelled bool

	// What the checks know of it.
	settled  bool
	acted    int64
	actedUID types.UID
}

// token is a command that was given.
type token struct {
	at   time.Time
	kind string
}

// shape makes up the spec.
func (s *subject) shape(r *rand.Rand) {
	s.tags = []string{"v0"}
	s.spec = ecsv1alpha1.EcsReleaseSpec{Image: repository + ":v0"}
	byTarget := map[string]int{}
	waves := 1 + r.IntN(3)
	for _, p := range s.places {
		i, known := byTarget[p.cluster]
		if !known {
			i = len(s.spec.Targets)
			byTarget[p.cluster] = i
			s.spec.Targets = append(s.spec.Targets, ecsv1alpha1.Target{Name: "in-" + p.cluster, Region: p.region, Cluster: p.cluster, Wave: int32(i % waves)})
		}
		service := ecsv1alpha1.Service{Name: p.service}
		if r.IntN(2) == 0 {
			service.ContainerNames = []string{"app"}
		}
		s.spec.Targets[i].Services = append(s.spec.Targets[i].Services, service)
	}
	s.spec.Strategy = &ecsv1alpha1.Strategy{
		ProgressDeadlineSeconds: new(int32(600 + 300*r.IntN(4))),
		ImageDeadlineSeconds:    new(int32(60 * r.IntN(10))),
	}
	if s.bystander {
		return
	}
	if r.IntN(3) == 0 {
		s.spec.Strategy.BakeSeconds = int32(30 + r.IntN(600))
	}
	if r.IntN(3) == 0 {
		s.spec.Strategy.OnFailure = ecsv1alpha1.FailureHold
	}
	switch r.IntN(8) {
	case 0:
		s.spec.Strategy.Approval = ecsv1alpha1.ApprovalFirstWave
	case 1:
		s.spec.Strategy.Approval = ecsv1alpha1.ApprovalEveryWave
	}
	s.spec.Verification = s.checks(r)
	if r.IntN(4) == 0 {
		s.spec.Drift = ecsv1alpha1.DriftReport
	}
	if r.IntN(4) == 0 {
		s.spec.TaskDefinition = &ecsv1alpha1.TaskDefinitionPolicy{Pin: ecsv1alpha1.PinTag}
	}
	if r.IntN(5) == 0 {
		if s.spec.TaskDefinition == nil {
			s.spec.TaskDefinition = &ecsv1alpha1.TaskDefinitionPolicy{}
		}
		s.spec.TaskDefinition.Base = ecsv1alpha1.BaseFamily
	}
}

// checks are those that what is behind load balancers may have.
func (s *subject) checks(r *rand.Rand) []ecsv1alpha1.Verification {
	if s.places[0].balanced == nil {
		return nil
	}
	within := new(int32(60 + 60*r.IntN(5)))
	asks := ecsv1alpha1.Verification{HTTP: &ecsv1alpha1.HTTPCheck{URL: "http://api.helium.example/", WithinSeconds: within}}
	healthy := ecsv1alpha1.Verification{TargetHealth: &ecsv1alpha1.TargetHealthCheck{WithinSeconds: within}}
	return pick(r, [][]ecsv1alpha1.Verification{nil, {asks}, {asks}, {healthy}, {asks, healthy}})
}

// create makes the release. One that exists stays.
func (s *subject) create() {
	release := &ecsv1alpha1.EcsRelease{ObjectMeta: metav1.ObjectMeta{Namespace: s.key.Namespace, Name: s.key.Name}, Spec: *s.spec.DeepCopy()}
	if err := s.world.user.Create(context.Background(), release); err != nil && !apierrors.IsAlreadyExists(err) {
		s.world.story.violate("the script can be played", "creating %s: %v", s.key, err)
	}
}

// remove deletes the release.
func (s *subject) remove() {
	release := &ecsv1alpha1.EcsRelease{ObjectMeta: metav1.ObjectMeta{Namespace: s.key.Namespace, Name: s.key.Name}}
	if err := client.IgnoreNotFound(s.world.user.Delete(context.Background(), release)); err != nil {
		s.world.story.violate("the script can be played", "deleting %s: %v", s.key, err)
	}
}

// edit changes the spec, of the release too if it is there.
func (s *subject) edit(change func(*ecsv1alpha1.EcsReleaseSpec)) {
	change(&s.spec)
	s.update(func(release *ecsv1alpha1.EcsRelease) { release.Spec = *s.spec.DeepCopy() })
}

// command sets the annotation of a command to a new token, or to what makes one.
func (s *subject) command(kind, value string) {
	s.tokens = append(s.tokens, token{at: time.Now(), kind: kind})
	s.update(func(release *ecsv1alpha1.EcsRelease) {
		if release.Annotations == nil {
			release.Annotations = map[string]string{}
		}
		release.Annotations["ecs.heliumai.space/"+kind] = value
	})
}

// asked says whether a command was given in a time.
func (s *subject) asked(kind string, from, until time.Time) bool {
	for _, t := range s.tokens {
		if t.kind == kind && !t.at.Before(from) && !t.at.After(until) {
			return true
		}
	}
	return false
}

func (s *subject) update(change func(*ecsv1alpha1.EcsRelease)) {
	ctx := context.Background()
	for try := range 10 {
		var release ecsv1alpha1.EcsRelease
		err := s.world.user.Get(ctx, s.key, &release)
		if err == nil {
			change(&release)
			err = s.world.user.Update(ctx, &release)
		}
		switch {
		case err == nil, apierrors.IsNotFound(err):
			return
		case apierrors.IsConflict(err) && try < 9:
		default:
			s.world.story.violate("the script can be played", "updating %s: %v", s.key, err)
			return
		}
	}
}

// bump asks for another image.
func (s *subject) bump(tag string) {
	s.tags = append(s.tags, tag)
	s.edit(func(spec *ecsv1alpha1.EcsReleaseSpec) {
		if spec.Image != "" {
			spec.Image = repository + ":" + tag
		}
		for i := range spec.Containers {
			spec.Containers[i].Image = repository + ":" + tag
		}
	})
}

// asks is the tag that it asks for now.
func (s *subject) asks() string { return s.tags[len(s.tags)-1] }

// approve gives what waits for a person its approval, if anything does.
func (s *subject) approve() bool {
	release := s.world.chronicle.now(s.key)
	if release == nil || len(release.Status.Awaiting) == 0 {
		return false
	}
	s.command("approve", release.Status.Awaiting[0].ID)
	s.world.story.tell("user", "approves %s of %s", release.Status.Awaiting[0].ID, s.key)
	return true
}

func (w *world) token(kind string) string {
	return fmt.Sprintf("%s-%d", kind, time.Since(w.began).Milliseconds())
}
