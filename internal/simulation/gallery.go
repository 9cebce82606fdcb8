package simulation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// nature is what an image does.
type nature string

const (
	good       nature = "good"
	slow       nature = "slow"
	crashing   nature = "crashing"
	outOfMem   nature = "out of memory"
	unhealthy  nature = "never healthy"
	unpullable nature = "unpullable"
	unplaced   nature = "without a place"
	secretless nature = "without its secrets"
	erring     nature = "answering errors"
	alarming   nature = "ringing alarms"
	missing    nature = "missing"
	late       nature = "late in one region"
	foreignCPU nature = "for another CPU"
	twoFaced   nature = "another in each region"
)

// gallery knows every image of the world.
type gallery struct {
	world *world

	mu     sync.Mutex
	tags   int
	byTag  map[string]nature
	tagsOf map[string][]string // by digest: the tags that ever named it
	late   map[string]string   // by tag: the region that it is missing from
}

func newGallery(w *world) *gallery {
	return &gallery{world: w, byTag: map[string]nature{}, tagsOf: map[string][]string{}, late: map[string]string{}}
}

// open makes the repositories, and the image v0 that everything runs in the beginning.
func (g *gallery) open() error {
	done := map[string]bool{}
	for _, p := range g.world.places {
		if done[p.realm.account+p.region] {
			continue
		}
		done[p.realm.account+p.region] = true
		for _, name := range []string{repository, "sidecar"} {
			_, err := g.world.ecr(p.realm.account, p.region).CreateRepository(context.Background(), &ecr.CreateRepositoryInput{RepositoryName: aws.String(name)})
			if err != nil {
				return fmt.Errorf("making repository %s: %w", name, err)
			}
		}
	}
	return g.push("v0", good)
}

// next pushes a new image of a nature, and returns its tag.
func (g *gallery) next(n nature) (string, error) {
	g.mu.Lock()
	g.tags++
	tag := fmt.Sprintf("v%d", g.tags)
	g.mu.Unlock()
	return tag, g.push(tag, n)
}

// push puts an image into the registries of every region, as its nature will have it.
func (g *gallery) push(tag string, n nature) error {
	g.mu.Lock()
	g.byTag[tag] = n
	g.mu.Unlock()
	done := map[string]bool{}
	for _, p := range g.world.places {
		at := p.realm.account + "/" + p.region
		if done[at] || n == missing {
			continue
		}
		if n == late && p.realm == g.world.realms[0] && g.postpone(tag, at) {
			continue
		}
		done[at] = true
		if err := g.pushTo(p.realm.account, p.region, tag, n); err != nil {
			return err
		}
	}
	return nil
}

// postpone leaves an image out of the first region that asks.
func (g *gallery) postpone(tag, at string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.late[tag] == "" {
		g.late[tag] = at
	}
	return g.late[tag] == at
}

func (g *gallery) pushTo(account, region, tag string, n nature) error {
	image := seed.Image{}
	switch n {
	case foreignCPU:
		image.Platforms = []string{"linux/amd64"}
	case twoFaced:
		image.Content = tag + " of " + region
	default:
	}
	digest, err := seed.Push(context.Background(), g.world.ecr(account, region), repository, tag, image)
	if err != nil {
		return err
	}
	g.name(digest, tag)
	if behavior, ok := behaviors[n]; ok {
		behavior.Image = "*" + digest
		g.world.aws.SetImageBehavior(behavior)
	}
	return nil
}

var behaviors = map[nature]awssim.ImageBehavior{
	slow:       {Kind: awssim.ImageSlowStart, Seconds: 400},
	crashing:   {Kind: awssim.ImageCrash, ExitCode: 3, AfterSeconds: 5},
	outOfMem:   {Kind: awssim.ImageOutOfMemory, AfterSeconds: 8},
	unhealthy:  {Kind: awssim.ImageUnhealthy},
	unpullable: {Kind: awssim.ImagePullFail},
	unplaced:   {Kind: awssim.ImagePlacementFail},
	secretless: {Kind: awssim.ImagePullFail, Message: "ResourceInitializationError: unable to pull secrets or registry auth: " +
		"execution resource retrieval failed: unable to retrieve secrets from ssm: AccessDeniedException"},
	erring: {Kind: awssim.ImageErrors},
}

// arrive pushes an image that was missing, wherever it is.
func (g *gallery) arrive(tag string) error {
	g.mu.Lock()
	delete(g.late, tag)
	g.byTag[tag] = good
	g.mu.Unlock()
	return g.push(tag, good)
}

// move makes a tag name another image.
func (g *gallery) move(tag string) error {
	done := map[string]bool{}
	for _, p := range g.world.places {
		at := p.realm.account + p.region
		if done[at] {
			continue
		}
		done[at] = true
		digest, err := seed.Push(context.Background(), g.world.ecr(p.realm.account, p.region), repository, tag, seed.Image{Content: tag + " moved"})
		var immutable *ecrtypes.ImageTagAlreadyExistsException
		if errors.As(err, &immutable) {
			return nil
		}
		if err != nil {
			return err
		}
		g.name(digest, tag)
	}
	return nil
}

func (g *gallery) name(digest, tag string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, known := range g.tagsOf[digest] {
		if known == tag {
			return
		}
	}
	g.tagsOf[digest] = append(g.tagsOf[digest], tag)
}

// namesOf are the tags that an image, as a task definition spells it, may be meant by: its tag,
// or those that ever named its digest.
func (g *gallery) namesOf(image string) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, digest, ok := strings.Cut(image, "@"); ok {
		return g.tagsOf[digest]
	}
	if at := strings.LastIndex(image, ":"); at > strings.LastIndex(image, "/") {
		return []string{image[at+1:]}
	}
	return nil
}

// natureOf is what the image of a tag does.
func (g *gallery) natureOf(tag string) nature {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.byTag[tag]
}
