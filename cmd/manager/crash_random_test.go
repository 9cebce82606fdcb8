package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/lab"
)

const (
	// canary is the cluster of the first wave; what fails there must never come further.
	canary = "helium-canary-cluster"
	// storyLimit is how long a story may last, kills and all.
	storyLimit = 170 * time.Second
)

// acts are the images of a story, in their order. All are good but v3, whose container exits.
var acts = []string{"v2", "v3", "v4"}

// seeds make the moments at which the managers of the disturbed stories are killed.
var seeds = []uint64{1, 2, 3, 4}

// The manager is killed at any moment, again and again, while one image after the other is
// released, a broken one among them. However that goes, the world ends as it does undisturbed:
// the same task definitions run, each content was registered as often, and status says the same.
func TestAManagerKilledAtRandomTellsTheSameStory(t *testing.T) {
	s := newSuite(t)
	tales := make([]tale, 1+len(seeds))
	kills := make([]int, len(tales))
	var group errgroup.Group
	for i := range tales {
		group.Go(func() (err error) {
			began := time.Now()
			if tales[i], kills[i], err = tell(t.Context(), s, i); err != nil {
				return fmt.Errorf("story %d, in which the manager was killed %d times: %w", i, kills[i], err)
			}
			t.Logf("story %d took %s; the manager was killed %d times", i, time.Since(began).Round(time.Second), kills[i])
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	checkTale(t, tales[0])
	for i, seed := range seeds {
		if kills[i+1] < len(acts) {
			t.Errorf("seed %d: the manager was killed %d times, wanted at least %d", seed, kills[i+1], len(acts))
		}
		if diff := cmp.Diff(tales[0], tales[i+1]); diff != "" {
			t.Errorf("seed %d: the manager was killed %d times, and the story is not the undisturbed one (-want +got):\n%s", seed, kills[i+1], diff)
		}
	}
}

// tale is what came of a story. Of stories that went the same it is equal.
type tale struct {
	// Ran is what each service ran at the end of each act: cluster/service: image's tag.
	Ran []map[string]string
	// Runs is what each service runs in the end, by its revision.
	Runs map[string]string
	// Revisions are all there are of the services' families, with their images.
	Revisions map[string]string
	// Registered counts the registrations by family and content.
	Registered map[string]int
	// Conditions are those of the release, and Remembered is what status keeps of its services.
	Conditions []string
	Remembered map[string]memoryOutcome
	// History is its releases, the newest first: number, image and outcome.
	History []string
}

// checkTale checks the undisturbed story, with which the others are compared.
func checkTale(t *testing.T, got tale) {
	t.Helper()
	for i, tag := range acts {
		for where, ran := range got.Ran[i] {
			want := tag
			if tag == "v3" {
				want = acts[i-1]
			}
			if ran != want {
				t.Errorf("undisturbed, %s runs %s after %s was released, wanted %s", where, ran, tag, want)
			}
		}
	}
	for content, n := range got.Registered {
		if n != 1 {
			t.Errorf("undisturbed, %s was registered %d times", content, n)
		}
	}
	// v2 and v4 in three families, v3 in that of the first wave.
	if len(got.Registered) != 7 || len(got.Runs) != 3 || len(got.History) != len(acts) {
		t.Errorf("undisturbed, there were registered %v, run %v, and the history is %v", got.Registered, got.Runs, got.History)
	}
}

// tell lets a story happen in a world of its own, the first undisturbed, and the others with the
// manager killed at the moments of their seed.
func tell(ctx context.Context, s *suite, number int) (tale, int, error) {
	ctx, cancel := context.WithTimeout(ctx, storyLimit)
	defer cancel()
	w, err := newWorld(ctx, s, fmt.Sprintf("story-%d", number), never, point{})
	if err != nil {
		return tale{}, 0, err
	}
	tags, err := w.stage(ctx)
	if err != nil {
		return tale{}, 0, err
	}
	var told tale
	var kills atomic.Int32
	err = w.inhabit(ctx, func() error {
		stop, disturbed := func() {}, func(int) bool { return true }
		if number > 0 {
			stop = w.killAtRandom(rand.New(rand.NewPCG(seeds[number-1], 0)), &kills)
			// However fast the machine is, the manager is killed once for each act.
			disturbed = func(act int) bool { return int(kills.Load()) > act }
		}
		release, err := w.play(ctx, &told, tags, disturbed)
		stop()
		if err == nil {
			// Whoever is left finds that there is nothing to do.
			err = w.lookAgain(ctx, release, "the-end")
		}
		if err == nil {
			err = w.takeStock(ctx, &told, release)
		}
		return err
	})
	return told, int(kills.Load()), err
}

// stage adds to a world the cluster of the first wave and the images of the acts, and returns the
// tags by digest.
func (w *world) stage(ctx context.Context) (map[string]string, error) {
	service := seed.Service{
		Cluster: canary, Name: "backend", Family: "helium-canary-backend", Desired: lab.Desired,
		Image:         fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com/%s:v1", lab.AccountID, region, lab.Repository),
		TaskRole:      "arn:aws:iam::" + lab.AccountID + ":role/helium-task",
		ExecutionRole: "arn:aws:iam::" + lab.AccountID + ":role/helium-execution",
	}
	if _, err := service.Create(ctx, ecs.NewFromConfig(w.account.AWS.Root(lab.AccountID, region))); err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, tag := range acts {
		digest, err := w.account.Push(ctx, tag)
		if err != nil {
			return nil, err
		}
		tags[digest] = tag
		if tag == "v3" {
			w.sim.SetImageBehavior(awssim.ImageBehavior{Image: "*" + digest, Kind: awssim.ImageCrash, ExitCode: 3, AfterSeconds: 3})
		}
	}
	var environment ecsv1alpha1.EcsEnvironment
	if err := w.client.Get(ctx, client.ObjectKey{Name: w.name}, &environment); err != nil {
		return nil, err
	}
	environment.Spec.Destinations[0].Clusters = []string{canary, cluster}
	if err := w.client.Update(ctx, &environment); err != nil {
		return nil, err
	}
	return tags, await(ctx, "the services to be steady on v1", func() (bool, error) {
		_, steady, err := w.everyService(ctx)
		return steady, err
	})
}

// killAtRandom kills the manager every 5 to 15 seconds, and counts it, until stop is called.
func (w *world) killAtRandom(moments *rand.Rand, kills *atomic.Int32) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var killer sync.WaitGroup
	killer.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(5*time.Second + time.Duration(moments.Int64N(int64(10*time.Second)))):
			}
			w.kill()
			kills.Add(1)
		}
	})
	return func() {
		cancel()
		killer.Wait()
	}
}

// play releases one image after the other, each when the one before has come to its end and its act
// was disturbed enough.
func (w *world) play(ctx context.Context, told *tale, tags map[string]string, disturbed func(act int) bool) (*ecsv1alpha1.EcsRelease, error) {
	release := w.release()
	release.Spec.Targets = []ecsv1alpha1.Target{
		{Name: "canary", Region: region, Cluster: canary, Services: []ecsv1alpha1.Service{{Name: "backend"}}},
		{Name: "mumbai", Region: region, Cluster: cluster, Wave: 1},
	}
	for i, tag := range acts {
		image := lab.Repository + ":" + tag
		if i == 0 {
			release.Spec.Image = image
			if err := w.client.Create(ctx, release); err != nil {
				return nil, fmt.Errorf("creating the release: %w", err)
			}
		} else {
			base := release.DeepCopy()
			release.Spec.Image = image
			if err := w.client.Patch(ctx, release, client.MergeFrom(base)); err != nil {
				return nil, fmt.Errorf("releasing %s: %w", image, err)
			}
		}
		if err := w.untilOver(ctx, release); err != nil {
			return nil, fmt.Errorf("releasing %s: %w", image, err)
		}
		enough := func() (bool, error) { return disturbed(i), nil }
		if err := await(ctx, "the manager to be killed in the act of "+tag, enough); err != nil {
			return nil, err
		}
		ran, err := w.running(ctx, tags)
		if err != nil {
			return nil, err
		}
		told.Ran = append(told.Ran, ran)
	}
	return release, nil
}

// untilOver waits until the release has come to its end, one way or the other, and ECS has nothing
// under way.
func (w *world) untilOver(ctx context.Context, release *ecsv1alpha1.EcsRelease) error {
	var lookErr error
	err := w.await(ctx, release, "the release to come to its end", func() bool {
		over := false
		for _, end := range []string{ecsv1alpha1.ConditionReady, ecsv1alpha1.ConditionStalled} {
			condition := meta.FindStatusCondition(release.Status.Conditions, end)
			over = over || condition != nil && condition.Status == metav1.ConditionTrue && condition.ObservedGeneration == release.Generation
		}
		if !over {
			return false
		}
		_, steady, err := w.everyService(ctx)
		lookErr = err
		return steady && err == nil
	})
	if err != nil && lookErr != nil {
		return fmt.Errorf("%w; the last look at ECS: %w", err, lookErr)
	}
	return err
}

// everyService is every service of the story by cluster/service, and whether all deployments have
// completed.
func (w *world) everyService(ctx context.Context) (map[string]ecstypes.Service, bool, error) {
	services, steady := map[string]ecstypes.Service{}, true
	for in, names := range map[string][]string{canary: {"backend"}, cluster: lab.Services()} {
		out, err := ecs.NewFromConfig(w.account.AWS.Root(lab.AccountID, region)).DescribeServices(ctx,
			&ecs.DescribeServicesInput{Cluster: aws.String(in), Services: names})
		if err != nil {
			return nil, false, err
		}
		for _, service := range out.Services {
			services[in+"/"+aws.ToString(service.ServiceName)] = service
			steady = steady && len(service.Deployments) == 1 &&
				service.Deployments[0].RolloutState == ecstypes.DeploymentRolloutStateCompleted
		}
	}
	return services, steady, nil
}

// running is the tag of the image that each service runs.
func (w *world) running(ctx context.Context, tags map[string]string) (map[string]string, error) {
	services, _, err := w.everyService(ctx)
	if err != nil {
		return nil, err
	}
	running := map[string]string{}
	for where, service := range services {
		out, err := ecs.NewFromConfig(w.account.AWS.Root(lab.AccountID, region)).DescribeTaskDefinition(ctx,
			&ecs.DescribeTaskDefinitionInput{TaskDefinition: service.TaskDefinition})
		if err != nil {
			return nil, err
		}
		image := aws.ToString(out.TaskDefinition.ContainerDefinitions[0].Image)
		running[where] = image
		for digest, tag := range tags {
			if strings.HasSuffix(image, "@"+digest) {
				running[where] = tag
			}
		}
	}
	return running, nil
}

// takeStock takes down how a story ended.
func (w *world) takeStock(ctx context.Context, told *tale, release *ecsv1alpha1.EcsRelease) error {
	told.Runs, told.Revisions = map[string]string{}, map[string]string{}
	services, _, err := w.everyService(ctx)
	if err != nil {
		return err
	}
	for where, service := range services {
		revision := name(service.TaskDefinition)
		told.Runs[where] = fmt.Sprintf("%s %d/%d", revision, service.RunningCount, service.DesiredCount)
		family, _, _ := strings.Cut(revision, ":")
		if err := w.revisions(ctx, family, told.Revisions); err != nil {
			return err
		}
	}
	told.Registered = w.registrations()
	for _, c := range release.Status.Conditions {
		told.Conditions = append(told.Conditions, fmt.Sprintf("%s=%s %s: %s", c.Type, c.Status, c.Reason, c.Message))
	}
	told.Remembered = map[string]memoryOutcome{}
	for _, target := range release.Status.Targets {
		for i := range target.Services {
			told.Remembered[target.Name+"/"+target.Services[i].Name] = remembered(&target.Services[i])
		}
	}
	for _, h := range release.Status.History {
		entry := fmt.Sprint(h.Number, " ", h.Outcome)
		for _, image := range h.Images {
			entry += " " + image.Image
		}
		told.History = append(told.History, entry)
	}
	return nil
}

// registrations counts what AWS registered for the managers, by family and image.
func (w *world) registrations() map[string]int {
	counts := map[string]int{}
	for _, entry := range w.sim.Journal(awssim.JournalFilter{Principal: "*assumed-role/ecsrelease-*", Service: "ecs", Operation: "RegisterTaskDefinition"}) {
		if !entry.Executed || entry.Code != "" {
			continue
		}
		var request struct {
			Family               string
			ContainerDefinitions []struct{ Image string }
		}
		if err := json.Unmarshal(entry.Request, &request); err != nil || len(request.ContainerDefinitions) != 1 {
			counts[fmt.Sprintf("a request that is no registration (%v): %s", err, entry.Request)]++
			continue
		}
		counts[request.Family+" "+request.ContainerDefinitions[0].Image]++
	}
	return counts
}
