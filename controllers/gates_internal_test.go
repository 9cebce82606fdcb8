package controllers

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/image"
	"heliumai.space/ecsrelease/internal/rollout"
)

func TestAnEnvironmentTakesTheRepositoriesThatItNames(t *testing.T) {
	const own, foreign = anAccount + ".dkr.ecr.ap-south-1.amazonaws.com/", twinAccount + ".dkr.ecr.ap-south-1.amazonaws.com/"
	for _, c := range []struct {
		globs string // "": none
		image string
		want  bool
	}{
		{"", "helium-backend:v1", true},
		{"", own + "helium-backend:v1", true},
		{"", foreign + "helium-backend:v1", false},
		{"", "docker.io/library/nginx:1", false},
		{"", "localhost:5000/nginx:1", false},
		{"helium-backend", "helium-backend:v1", true},
		{"helium-backend", own + "helium-backend:v1", true},
		{"helium-backend", "helium-backend2:v1", false},
		{"helium-backend", foreign + "helium-backend:v1", false},
		{"helium-backend", "docker.io/helium-backend:v1", false},
		{"helium-*", "helium-worker:v1", true},
		{"team/*", "team/app:v1", true},
		{"team/*", "steam/app:v1", false},
		{"*", "anything/at/all:v1", true},
		{"*", "docker.io/library/nginx:1", false},
		{"*", foreign + "helium-backend:v1", false},
		{"docker.io/library/*", "docker.io/library/nginx:1", true},
		{"docker.io/library/*", "docker.io/evil/nginx:1", false},
		{"docker.io/library/*", "library/nginx:1", false},
		{"*.example.com/team/*", "registry.example.com/team/app:v1", true},
		// A glob of the host ends with the host, whatever the repository is called.
		{"*.example.com/team", "evil.io/x.example.com/team:v1", false},
		{foreign + "helium-backend", foreign + "helium-backend:v1", true},
		{"a b", "helium-backend:v1", false},
		{"docker.io/library/*,helium-backend", "helium-backend:v1", true},
	} {
		policy := &ecsv1alpha1.ImagePolicy{}
		if c.globs != "" {
			policy.Repositories = strings.Split(c.globs, ",")
		}
		reference, err := image.Parse(c.image)
		if err != nil {
			t.Fatal(err)
		}
		if got := takesRepository(policy, anAccount, reference); got != c.want {
			t.Errorf("an environment of account %s with %q takes %s: %t, want %t", anAccount, c.globs, c.image, got, c.want)
		}
	}
}

// gatedPass is a pass over aRelease in an environment.
func gatedPass(t *testing.T, change func(*ecsv1alpha1.EcsEnvironmentSpec), release func(*ecsv1alpha1.EcsReleaseSpec)) *pass {
	t.Helper()
	p := &pass{release: aRelease(release), environment: anEnvironment(change), started: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	p.services = place(p.release, p.environment)
	p.images, _ = wantedImages(p.release)
	return p
}

func TestAnImageThatTheEnvironmentDoesNotTakeIsNotLookedFor(t *testing.T) {
	labels := func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		spec.Images = &ecsv1alpha1.ImagePolicy{RequireLabels: map[string]ecsv1alpha1.LabelValues{"git.branch": {"main"}}}
	}
	promotes := func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		spec.Promotion = &ecsv1alpha1.Promotion{From: "staging"}
	}
	elsewhere := func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		labels(spec)
		spec.Images.Repositories = []string{"docker.io/library/*"}
	}
	tag := func(spec *ecsv1alpha1.EcsReleaseSpec) {
		spec.TaskDefinition = &ecsv1alpha1.TaskDefinitionPolicy{Pin: ecsv1alpha1.PinTag}
	}
	nginx := func(spec *ecsv1alpha1.EcsReleaseSpec) { spec.Image = "docker.io/library/nginx@" + digestOne }
	for name, c := range map[string]struct {
		environment func(*ecsv1alpha1.EcsEnvironmentSpec)
		release     func(*ecsv1alpha1.EcsReleaseSpec)
		held        bool
		says        string
	}{
		"one that it takes": {nil, nil, false, ""},
		"another host":      {nil, nginx, false, "docker.io/library/nginx"},
		"another host, whose labels cannot be known":  {elsewhere, nginx, false, "is not in ECR"},
		"a tag, where labels are asked for":           {labels, tag, false, "pin is Tag"},
		"a tag, where it must have run elsewhere":     {promotes, tag, false, "pin is Tag"},
		"a tag that is held: it ran here before":      {labels, tag, true, ""},
		"another host that is held: it must be taken": {labels, nginx, true, "docker.io/library/nginx"},
	} {
		t.Run(name, func(t *testing.T) {
			p := gatedPass(t, c.environment, c.release)
			if c.held {
				p.ledger.Hold = &ecsv1alpha1.Hold{Number: 1}
			}
			p.permitImages()
			problem := p.imageProblem()
			switch {
			case c.says == "" && problem != nil:
				t.Errorf("it is refused: %s", problem.Message)
			case c.says != "" && (problem == nil || problem.Reason != ecsv1alpha1.ReasonNotPermitted || !strings.Contains(problem.Message, c.says)):
				t.Errorf("the problem is %+v, wanted NotPermitted and %q", problem, c.says)
			}
		})
	}
}

func TestAnImageNeedsTheLabelsOfItsEnvironmentForThePlatformThatItRunsOn(t *testing.T) {
	p := gatedPass(t, func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		spec.Images = &ecsv1alpha1.ImagePolicy{RequireLabels: map[string]ecsv1alpha1.LabelValues{"git.branch": {"main", "migrated-demo2"}, "team": {"core"}}}
	}, nil)
	for name, c := range map[string]struct {
		labels map[string]string
		says   string
	}{
		"all of them":           {map[string]string{"git.branch": "migrated-demo2", "team": "core"}, ""},
		"another branch":        {map[string]string{"git.branch": "kartik-stg", "team": "core"}, `git.branch="kartik-stg"`},
		"one is missing":        {map[string]string{"git.branch": "main"}, "no label team"},
		"none":                  {nil, "no label git.branch"},
		"an empty value":        {map[string]string{"git.branch": "", "team": "core"}, `git.branch=""`},
		"a value with a suffix": {map[string]string{"git.branch": "main ", "team": "core"}, `git.branch="main "`},
	} {
		t.Run(name, func(t *testing.T) {
			found := cloud.Image{Digest: digestOne, Labels: map[string]map[string]string{
				"arm64": c.labels, "amd64": {"git.branch": "main", "team": "core"},
			}}
			problem := p.judgeLabels(p.images[0], found, "arm64")
			if c.says == "" && problem != nil || c.says != "" && (problem == nil || !strings.Contains(problem.Message, c.says)) {
				t.Errorf("the problem is %+v, wanted %q", problem, c.says)
			}
		})
	}
}

func TestAnImageIsPromotedWhenItHasSoaked(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) *metav1.Time { at := metav1.NewTime(now.Add(-d)); return &at }
	proof := func(p ecsv1alpha1.ProvenDigest) []ecsv1alpha1.ProvenDigest {
		p.Digest, p.Service = digestOne, "backend"
		return []ecsv1alpha1.ProvenDigest{p}
	}
	for name, c := range map[string]struct {
		proven []ecsv1alpha1.ProvenDigest
		soak   int32
		says   string // "": it is promoted
		look   time.Duration
	}{
		"it never ran there":                         {nil, 0, "it has not", 0},
		"it runs, for long enough":                   {proof(ecsv1alpha1.ProvenDigest{Since: ago(time.Hour + time.Second)}), 3600, "", 0},
		"it runs, and may have begun a second later": {proof(ecsv1alpha1.ProvenDigest{Since: ago(time.Hour)}), 3600, "by itself at 2026-03-02T09:00:01Z", time.Second},
		"it runs, not for long enough":               {proof(ecsv1alpha1.ProvenDigest{Since: ago(time.Hour), Seconds: 600}), 5400, "by itself at 2026-03-02T09:20:01Z", 20*time.Minute + time.Second},
		"it ran for long enough":                     {proof(ecsv1alpha1.ProvenDigest{Seconds: 3600, Last: ago(time.Hour)}), 3600, "", 0},
		"it ran, not for long enough":                {proof(ecsv1alpha1.ProvenDigest{Seconds: 600, Last: ago(time.Hour)}), 3600, "it did for 10m0s", 0},
		"it failed, and did not run since":           {proof(ecsv1alpha1.ProvenDigest{Failed: ago(time.Hour)}), 0, "it has not", 0},
		"having been ready is enough without soak":   {proof(ecsv1alpha1.ProvenDigest{Since: ago(0)}), 0, "", 0},
		"another service ran it":                     {[]ecsv1alpha1.ProvenDigest{{Digest: digestOne, Service: "worker", Since: ago(time.Hour)}}, 60, "it has not", 0},
		"there was no room for more":                 {slices.Repeat([]ecsv1alpha1.ProvenDigest{{Digest: digestTwo, Service: "another", Since: ago(time.Hour)}}, 1000), 60, "more runs there than its status has room for", 0},
		"what ran before takes the room":             {slices.Repeat([]ecsv1alpha1.ProvenDigest{{Digest: digestTwo, Service: "another", Last: ago(time.Hour)}}, 1000), 60, "it has not", 0},
		"another image ran":                          {[]ecsv1alpha1.ProvenDigest{{Digest: digestTwo, Service: "backend", Since: ago(time.Hour)}}, 60, "it has not", 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := gatedPass(t, func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
				spec.Promotion = &ecsv1alpha1.Promotion{From: "staging", SoakSeconds: c.soak}
			}, nil)
			p.images[0].digest = digestOne
			p.origin = &ecsv1alpha1.EcsEnvironment{ObjectMeta: metav1.ObjectMeta{Name: "staging"}, Status: ecsv1alpha1.EcsEnvironmentStatus{Proven: c.proven}}
			problem := p.closed()
			switch {
			case c.says == "" && problem != nil:
				t.Errorf("it is refused: %s", problem.Message)
			case c.says != "" && (problem == nil || problem.Reason != ecsv1alpha1.ReasonAwaitingPromotion || !strings.Contains(problem.Message, c.says)):
				t.Errorf("the problem is %+v, wanted AwaitingPromotion and %q", problem, c.says)
			case problem != nil && problem.RetryAfter != c.look:
				t.Errorf("it is looked at again after %s, wanted %s", problem.RetryAfter, c.look)
			}
		})
	}
}

func TestAPromotionNamesWhatDecidesWhenItOpens(t *testing.T) {
	at := func(hour, minute int) *metav1.Time {
		at := metav1.NewTime(time.Date(2026, 3, 2, hour, minute, 0, 0, time.UTC))
		return &at
	}
	backend := ecsv1alpha1.ProvenDigest{Digest: digestOne, Service: "backend", Since: at(8, 30)}
	later := ecsv1alpha1.ProvenDigest{Digest: digestOne, Service: "worker", Since: at(8, 50)}
	for name, c := range map[string]struct {
		proven  []ecsv1alpha1.ProvenDigest
		windows []ecsv1alpha1.Window
		says    string
		look    time.Duration
	}{
		"the service that takes longest":   {[]ecsv1alpha1.ProvenDigest{backend, later}, nil, `service "worker" in EcsEnvironment "staging" for 1h0m0s, since it last failed there: it does, and starts here by itself at 2026-03-02T09:50:01Z`, 50*time.Minute + time.Second},
		"the service that does not run":    {[]ecsv1alpha1.ProvenDigest{backend}, nil, `service "worker" in EcsEnvironment "staging" for 1h0m0s, since it last failed there: it has not`, 0},
		"the windows that are closed then": {[]ecsv1alpha1.ProvenDigest{backend, later}, []ecsv1alpha1.Window{{Effect: ecsv1alpha1.WindowAllow, Schedule: "0 12 * * *", DurationSeconds: 3600}}, "at 2026-03-02T09:50:01Z, but then ", 50*time.Minute + time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			p := gatedPass(t, func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
				spec.Promotion = &ecsv1alpha1.Promotion{From: "staging", SoakSeconds: 3600}
				spec.Windows = c.windows
			}, nil)
			worker := *p.services[0]
			worker.spec.Name = "worker"
			p.services = append(p.services, &worker)
			p.images[0].digest = digestOne
			p.origin = &ecsv1alpha1.EcsEnvironment{ObjectMeta: metav1.ObjectMeta{Name: "staging"}, Status: ecsv1alpha1.EcsEnvironmentStatus{Proven: c.proven}}
			problem := p.closed()
			if problem == nil || problem.Reason != ecsv1alpha1.ReasonAwaitingPromotion || !strings.Contains(problem.Message, c.says) || problem.RetryAfter != c.look {
				t.Errorf("the problem is %+v, wanted %q, to be looked at again after %s", problem, c.says, c.look)
			}
		})
	}
}

func TestAnEnvironmentThatCannotBeUnderstoodLetsNothingStart(t *testing.T) {
	allow := ecsv1alpha1.Window{Effect: ecsv1alpha1.WindowAllow, Schedule: "0 9 * * MON-THU", DurationSeconds: 28800, TimeZone: "Asia/Kolkata"}
	for name, c := range map[string]struct {
		environment func(*ecsv1alpha1.EcsEnvironmentSpec)
		reason      string
	}{
		"promotion from nowhere": {func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Promotion = &ecsv1alpha1.Promotion{From: "nowhere"} }, ecsv1alpha1.ReasonInvalidEnvironment},
		"promotion from itself":  {func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Promotion = &ecsv1alpha1.Promotion{From: "mumbai"} }, ecsv1alpha1.ReasonInvalidEnvironment},
		"a time zone that does not exist": {func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			bad := allow
			bad.TimeZone = "Asia/Nowhere"
			spec.Windows = []ecsv1alpha1.Window{bad}
		}, ecsv1alpha1.ReasonInvalidEnvironment},
		"a window that is open": {func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Windows = []ecsv1alpha1.Window{allow} }, ""},
		"a window that is not open": {func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			later := allow
			later.Schedule = "0 20 * * *"
			spec.Windows = []ecsv1alpha1.Window{later}
		}, ecsv1alpha1.ReasonOutsideWindow},
		"no window": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := gatedPass(t, c.environment, nil) // a Monday, at 14:30 in Kolkata
			var reason string
			problem := p.closed()
			if problem != nil {
				reason = problem.Reason
			}
			if reason != c.reason {
				t.Errorf("the problem is %+v, wanted %q", problem, c.reason)
			}
			if problem != nil && problem.Class != rollout.ProblemRefused {
				t.Errorf("its class is %s", problem.Class)
			}
		})
	}
}

func TestGlobsMeetWhereANameMatchesBoth(t *testing.T) {
	var globs, names []string
	for _, alphabet := range []struct {
		letters string
		into    *[]string
		longest int
	}{{"ab*", &globs, 4}, {"ab", &names, 7}} {
		*alphabet.into = []string{""}
		for from := 0; len((*alphabet.into)[len(*alphabet.into)-1]) < alphabet.longest; {
			end := len(*alphabet.into)
			for ; from < end; from++ {
				for _, letter := range alphabet.letters {
					*alphabet.into = append(*alphabet.into, (*alphabet.into)[from]+string(letter))
				}
			}
		}
	}
	for _, a := range globs {
		for _, b := range globs {
			var meet bool
			for _, name := range names {
				meet = meet || globMatch(a, name) && globMatch(b, name)
			}
			if got := globsMeet(a, b); got != meet {
				t.Fatalf("%q and %q meet: %t, want %t", a, b, got, meet)
			}
		}
	}
}

func TestDestinationsThatOverlapMustNameTheSameIdentity(t *testing.T) {
	other := &ecsv1alpha1.AWSIdentity{AccountID: twinAccount}
	everything := []string{"*"}
	for name, c := range map[string]struct {
		second ecsv1alpha1.Destination
		want   bool
	}{
		"the same identity":                   {ecsv1alpha1.Destination{Region: "ap-*", Clusters: everything, Services: everything}, false},
		"another identity":                    {ecsv1alpha1.Destination{Region: "ap-*", Clusters: everything, Services: everything, AWS: other}, true},
		"another identity, in another region": {ecsv1alpha1.Destination{Region: "us-*", Clusters: everything, Services: everything, AWS: other}, false},
		"another identity, for one service":   {ecsv1alpha1.Destination{Region: "*", Clusters: []string{"helium-*"}, Services: []string{"worker"}, AWS: other}, true},
	} {
		t.Run(name, func(t *testing.T) {
			environment := anEnvironment(func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Destinations = append(spec.Destinations, c.second) })
			if got := overlapping(environment); (got != "") != c.want {
				t.Errorf("it says %q", got)
			}
		})
	}
}
