package simulation

import (
	"context"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// oddity is something that people get wrong, and put right again after a while.
type oddity struct {
	name  string
	wrong func(w *world, s *subject)
	right func(w *world, s *subject)
}

// misspelled changes the spec, and back. A spec is misspelled in one way at a time.
func misspelled(name string, change func(*ecsv1alpha1.EcsReleaseSpec)) oddity {
	var before *ecsv1alpha1.EcsReleaseSpec
	return oddity{
		name: name,
		wrong: func(_ *world, s *subject) {
			if !s.misspelled {
				before, s.misspelled = s.spec.DeepCopy(), true
				s.edit(change)
			}
		},
		right: func(_ *world, s *subject) {
			if before == nil {
				return
			}
			s.misspelled = false
			s.edit(func(spec *ecsv1alpha1.EcsReleaseSpec) {
				suspended := spec.Suspend
				*spec = *before.DeepCopy()
				spec.Image, spec.Suspend = s.imageAsked(), suspended
			})
		},
	}
}

func (s *subject) imageAsked() string { return repository + ":" + s.asks() }

// oddities are all of them.
func oddities() []oddity {
	return []oddity{
		misspelled("names a cluster that does not exist", func(spec *ecsv1alpha1.EcsReleaseSpec) { spec.Targets[0].Cluster = "nowhere" }),
		misspelled("names a service that does not exist", func(spec *ecsv1alpha1.EcsReleaseSpec) { spec.Targets[0].Services[0].Name = "nobody" }),
		misspelled("names a service that something else deploys", func(spec *ecsv1alpha1.EcsReleaseSpec) { spec.Targets[0].Services[0].Name = external }),
		misspelled("names a container that does not exist", func(spec *ecsv1alpha1.EcsReleaseSpec) {
			spec.Targets[0].Services[0].ContainerNames = []string{"nothing"}
		}),
		misspelled("names a repository that does not exist", func(spec *ecsv1alpha1.EcsReleaseSpec) { spec.Image = "nowhere:v1" }),
		permitted("docker.io/library/nginx", misspelled("asks for a tag of another registry", func(spec *ecsv1alpha1.EcsReleaseSpec) {
			spec.Image, spec.TaskDefinition = "docker.io/library/nginx:1", nil
		})),
		misspelled("names a service twice", func(spec *ecsv1alpha1.EcsReleaseSpec) {
			twice := *spec.Targets[0].DeepCopy()
			twice.Name += "-again"
			spec.Targets = append(spec.Targets, twice)
		}),
		misspelled("has an image for a container that is nowhere", func(spec *ecsv1alpha1.EcsReleaseSpec) {
			spec.Containers = []ecsv1alpha1.ContainerImage{{Name: "app", Image: spec.Image}, {Name: "nothing", Image: spec.Image}}
			spec.Image = ""
			for t := range spec.Targets {
				for i := range spec.Targets[t].Services {
					spec.Targets[t].Services[i].ContainerNames = nil
				}
			}
		}),
		{name: "takes the namespace out of the environment", wrong: (*world).deny, right: (*world).allow},
		{name: "puts the namespace into two environments", wrong: (*world).confuse, right: (*world).clarify},
		{name: "lets the environment cover no cluster", wrong: (*world).uncover, right: (*world).cover},
		{name: "names another account in the environment", wrong: (*world).mistake, right: (*world).cover},
		gated("closes the windows", func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.Windows = []ecsv1alpha1.Window{{Effect: ecsv1alpha1.WindowDeny, Schedule: "* * * * *", DurationSeconds: 3600, TimeZone: "Asia/Kolkata"}}
		}, func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Windows = nil }),
		gated("promotes from where it does not run", func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.Promotion = &ecsv1alpha1.Promotion{From: "bystander", SoakSeconds: 600}
		}, func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Promotion = nil }),
		gated("promotes from nowhere", func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.Promotion = &ecsv1alpha1.Promotion{From: "nowhere"}
		}, func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Promotion = nil }),
		gated("asks for labels that no image has", func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.Images = &ecsv1alpha1.ImagePolicy{RequireLabels: map[string]ecsv1alpha1.LabelValues{"git.branch": {"main"}}}
		}, func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Images = nil }),
		{name: "lets nobody assume the role any more", wrong: (*world).lockOut, right: (*world).letIn},
		{name: "leaves deployments no room", wrong: (*world).cramp, right: (*world).uncramp},
		{name: "takes a target out", wrong: shrink, right: grow},
		{name: "makes a second release of the same services", wrong: rival, right: withdraw},
	}
}

// gated closes a gate of the environment, and opens it again.
func gated(name string, shut, open func(*ecsv1alpha1.EcsEnvironmentSpec)) oddity {
	return oddity{
		name:  name,
		wrong: func(w *world, s *subject) { w.reenvironment(s.realm.name, shut) },
		right: func(w *world, s *subject) { w.reenvironment(s.realm.name, open) },
	}
}

// permitted has the environment permit a repository as long as something is wrong.
func permitted(other string, o oddity) oddity {
	return oddity{
		name: o.name,
		wrong: func(w *world, s *subject) {
			w.reenvironment(s.realm.name, func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
				spec.Images = &ecsv1alpha1.ImagePolicy{Repositories: []string{repository, other}}
			})
			o.wrong(w, s)
		},
		right: func(w *world, s *subject) {
			o.right(w, s)
			w.reenvironment(s.realm.name, func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Images = nil })
		},
	}
}

// lockOut takes the trust in the manager from the realm's role: sessions that there are go on until
// they expire.
func (w *world) lockOut(s *subject) { w.trust(s.realm, "Deny") }

func (w *world) letIn(s *subject) { w.trust(s.realm, "Allow") }

func (p *playwright) oddity(at time.Time) {
	s, o := p.victim(), pick(p.random, oddities())
	p.user(at, func() {
		p.world.coverage.count("oddity", o.name)
		o.wrong(p.world, s)
	}, "%s: %s", s.key, o.name)
	p.user(at.Add(p.between(10*time.Second, 40*time.Minute)), func() { o.right(p.world, s) }, "%s: no longer %s", s.key, o.name)
}

// editEnvironment changes an environment, and returns it.
func (w *world) editEnvironment(name string, change func(*ecsv1alpha1.EcsEnvironment)) *ecsv1alpha1.EcsEnvironment {
	ctx := context.Background()
	environment := &ecsv1alpha1.EcsEnvironment{}
	err := w.user.Get(ctx, client.ObjectKey{Name: name}, environment)
	if err == nil {
		change(environment)
		err = w.user.Update(ctx, environment)
	}
	if err != nil {
		w.story.violate("the script can be played", "changing environment %s: %v", name, err)
	}
	return environment
}

func (w *world) reenvironment(name string, change func(*ecsv1alpha1.EcsEnvironmentSpec)) {
	environment := w.editEnvironment(name, func(e *ecsv1alpha1.EcsEnvironment) { change(&e.Spec) })
	w.mu.Lock()
	defer w.mu.Unlock()
	shut := len(environment.Spec.Windows) > 0 || environment.Spec.Promotion != nil ||
		environment.Spec.Images != nil && len(environment.Spec.Images.RequireLabels) > 0
	if _, before := w.shut[name]; shut && !before {
		w.shut[name] = time.Now()
	} else if !shut {
		delete(w.shut, name)
	}
}

// shutSince is since when an environment lets no release start.
func (w *world) shutSince(environment string) (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	since, shut := w.shut[environment]
	return since, shut
}

func (w *world) deny(s *subject) {
	w.reenvironment(s.realm.name, func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Namespaces = nil })
	w.mu.Lock()
	defer w.mu.Unlock()
	w.denied[s.key.Namespace] = time.Now()
}

func (w *world) allow(s *subject) {
	w.reenvironment(s.realm.name, func(spec *ecsv1alpha1.EcsEnvironmentSpec) { *spec = s.realm.environment().Spec })
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.denied, s.key.Namespace)
}

// deniedSince is since when a namespace is in no environment.
func (w *world) deniedSince(namespace string) (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	since, denied := w.denied[namespace]
	return since, denied
}

func (w *world) confuse(s *subject) {
	second := s.realm.environment()
	second.Name += "-again"
	if err := w.user.Create(context.Background(), second); err != nil && !apierrors.IsAlreadyExists(err) {
		w.story.violate("the script can be played", "creating an environment: %v", err)
	}
}

func (w *world) clarify(s *subject) {
	second := s.realm.environment()
	second.Name += "-again"
	if err := client.IgnoreNotFound(w.user.Delete(context.Background(), second)); err != nil {
		w.story.violate("the script can be played", "deleting an environment: %v", err)
	}
}

func (w *world) uncover(s *subject) {
	w.reenvironment(s.realm.name, func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		spec.Destinations = []ecsv1alpha1.Destination{{Region: "*", Clusters: []string{"another-*"}, Services: []string{"*"}}}
	})
}

func (w *world) cover(s *subject) {
	w.reenvironment(s.realm.name, func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		wanted := s.realm.environment().Spec
		spec.AWS, spec.Destinations = wanted.AWS, wanted.Destinations
	})
}

func (w *world) mistake(s *subject) {
	w.reenvironment(s.realm.name, func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.AWS.AccountID = "123412341234" })
}

func shrink(_ *world, s *subject) {
	if len(s.spec.Targets) > 1 {
		s.edit(func(spec *ecsv1alpha1.EcsReleaseSpec) {
			s.taken = append(s.taken, spec.Targets[len(spec.Targets)-1])
			spec.Targets = spec.Targets[:len(spec.Targets)-1]
		})
	}
}

func grow(_ *world, s *subject) {
	if len(s.taken) > 0 {
		s.edit(func(spec *ecsv1alpha1.EcsReleaseSpec) {
			back := s.taken[len(s.taken)-1]
			s.taken = s.taken[:len(s.taken)-1]
			if !slices.ContainsFunc(spec.Targets, func(t ecsv1alpha1.Target) bool { return t.Name == back.Name }) {
				spec.Targets = append(spec.Targets, back)
			}
		})
	}
}

func rivalOf(s *subject) *ecsv1alpha1.EcsRelease {
	return &ecsv1alpha1.EcsRelease{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.key.Namespace, Name: s.key.Name + "-rival"},
		Spec:       *s.spec.DeepCopy(),
	}
}

// rival is a younger release of the same services, with the first image.
func rival(w *world, s *subject) {
	younger := rivalOf(s)
	younger.Spec.Image = repository + ":v0"
	younger.Spec.Containers = nil
	if err := w.user.Create(context.Background(), younger); err != nil && !apierrors.IsAlreadyExists(err) {
		w.story.violate("the script can be played", "creating a rival: %v", err)
		return
	}
	key := client.ObjectKeyFromObject(younger)
	if w.subject(key) == nil {
		w.subjects = append(w.subjects, &subject{world: w, key: key, realm: s.realm, places: s.places, spec: younger.Spec, tags: []string{"v0"}, rival: true})
	}
}

func withdraw(w *world, s *subject) {
	if err := client.IgnoreNotFound(w.user.Delete(context.Background(), rivalOf(s))); err != nil {
		w.story.violate("the script can be played", "deleting a rival: %v", err)
	}
}
