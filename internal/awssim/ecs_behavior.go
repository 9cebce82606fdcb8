package awssim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// ImageKind is what goes wrong with an image when it is run.
type ImageKind string

const (
	ImageHealthy       ImageKind = "Healthy"       // nothing: an exception from a wider behaviour
	ImageErrors        ImageKind = "Errors"        // passes its health checks, and answers users with HTTPStatus
	ImageCrash         ImageKind = "Crash"         // exits with ExitCode AfterSeconds after its start
	ImageUnhealthy     ImageKind = "Unhealthy"     // runs, and fails its health check
	ImagePullFail      ImageKind = "PullFail"      // cannot be pulled; Message is the reason ECS gives
	ImageOutOfMemory   ImageKind = "OutOfMemory"   // is killed AfterSeconds after its start
	ImageSlowStart     ImageKind = "SlowStart"     // needs Seconds more to run, then is well
	ImagePlacementFail ImageKind = "PlacementFail" // finds no capacity; Message is the reason
)

// ImageBehavior scripts what images do. The first six members say which: they match as
// globs ("*" for any run of characters), and an empty one matches everything. Image is
// matched with the reference in the task definition, with the tag-less reference at its
// digest, and with the digest alone, of the index as of the platform's manifest. Tasks that
// run already go on as they are. An image without behaviour starts and gets healthy.
type ImageBehavior struct {
	Account   string `json:"account,omitempty"`
	Region    string `json:"region,omitempty"`
	Cluster   string `json:"cluster,omitempty"`
	Service   string `json:"service,omitempty"`
	Image     string `json:"image,omitempty"`
	Container string `json:"container,omitempty"`

	Kind         ImageKind `json:"kind"`
	ExitCode     int       `json:"exitCode,omitempty"`     // of Crash; 0 means 1
	AfterSeconds int       `json:"afterSeconds,omitempty"` // of Crash, OutOfMemory and Unhealthy, AWS's seconds
	Seconds      int       `json:"seconds,omitempty"`      // of SlowStart, AWS's seconds
	// Check is which health check an Unhealthy image fails, "container" or "elb". Empty means
	// the container's if its definition has one, else the load balancer's if there is one,
	// else the container's.
	Check   string `json:"check,omitempty"`
	Message string `json:"message,omitempty"`
	// HTTPStatus is what users get who reach the container through a load balancer; 0 means
	// 500 of an image that Errors, 200 of every other one.
	HTTPStatus int `json:"httpStatus,omitempty"`
}

// Validate tells what is wrong with a behaviour, nil for nothing.
func (b ImageBehavior) Validate() error {
	kinds := []ImageKind{ImageHealthy, ImageErrors, ImageCrash, ImageUnhealthy, ImagePullFail, ImageOutOfMemory, ImageSlowStart, ImagePlacementFail}
	switch {
	case !slices.Contains(kinds, b.Kind):
		return fmt.Errorf("kind %q is none of %v", b.Kind, kinds)
	case b.Check != "" && b.Check != "container" && b.Check != "elb":
		return fmt.Errorf("check %q is neither container nor elb", b.Check)
	case b.AfterSeconds < 0 || b.Seconds < 0:
		return fmt.Errorf("seconds must not be negative")
	case b.ExitCode < 0 || b.ExitCode > 255:
		return fmt.Errorf("exit code %d is not between 0 and 255", b.ExitCode)
	case b.HTTPStatus != 0 && (b.HTTPStatus < 200 || b.HTTPStatus > 599):
		return fmt.Errorf("HTTP status %d is not between 200 and 599", b.HTTPStatus)
	}
	return nil
}

// SetImageBehavior scripts images; it replaces a behaviour for exactly the same images. Of
// several that match, the one set last holds.
func (s *Simulator) SetImageBehavior(b ImageBehavior) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.ecs.behaviors = slices.DeleteFunc(s.ecs.behaviors, func(other ImageBehavior) bool { return other.key() == b.key() })
	s.ecs.behaviors = append(s.ecs.behaviors, b)
}

// ClearImageBehaviors makes all images well again.
func (s *Simulator) ClearImageBehaviors() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.ecs.behaviors = nil
}

func (b ImageBehavior) key() [6]string {
	return [6]string{b.Account, b.Region, b.Cluster, b.Service, b.Image, b.Container}
}

// behavior is what an image does in a service's container, nil for what it should.
func (st *ecsState) behavior(s *service, container, image string, digests ...string) *ImageBehavior {
	for _, b := range slices.Backward(st.world.ecs.behaviors) {
		if b.Kind == "" || !b.places(s) || !globOr(b.Container, container) || !b.names(image, digests) {
			continue
		}
		if b.Kind == ImageHealthy && b.HTTPStatus == 0 {
			return nil
		}
		return &b
	}
	return nil
}

func (b ImageBehavior) places(s *service) bool {
	region := s.state.region
	return globOr(b.Account, region.account.id) && globOr(b.Region, region.name) &&
		globOr(b.Cluster, s.cluster.name) && globOr(b.Service, s.name)
}

func (b ImageBehavior) names(image string, digests []string) bool {
	if globOr(b.Image, image) {
		return true
	}
	name, _, _ := strings.Cut(image, "@")
	repository, _ := splitTag(name)
	for _, digest := range digests {
		if digest != "" && (globOr(b.Image, digest) || globOr(b.Image, repository+"@"+digest)) {
			return true
		}
	}
	return false
}

func globOr(pattern, value string) bool { return pattern == "" || match(pattern, value) }

// unplaceable is why no task of the deployment can be placed, as the service's event says
// it, "" when there is a place.
func (s *service) unplaceable(d *deployment) string {
	for _, c := range d.revision.definition.spec.ContainerDefinitions {
		b := s.state.behavior(s, *c.Name, *c.Image, d.revision.images[*c.Name].digest)
		if b == nil || b.Kind != ImagePlacementFail {
			continue
		}
		if b.Message != "" {
			return "was unable to place a task. Reason: " + b.Message
		}
		if s.settings.fargate() {
			return "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a different availability zone. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
		}
		return "was unable to place a task because no container instance met all of its requirements. Reason: No Container Instances were found in your cluster. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
	}
	return ""
}

func (b *ImageBehavior) message(image string) string {
	if b.Message != "" {
		return b.Message
	}
	return "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref " + image + ": " + image + ": not found"
}

func (b *ImageBehavior) exitCode() int {
	if b.ExitCode == 0 {
		return 1
	}
	return b.ExitCode
}

func (b *ImageBehavior) httpStatus() int {
	switch {
	case b.HTTPStatus != 0:
		return b.HTTPStatus
	case b.Kind == ImageErrors:
		return http.StatusInternalServerError
	default:
		return http.StatusOK
	}
}

// check is which health check notices an unhealthy container.
func (b *ImageBehavior) check(t *task, c *taskContainer) string {
	switch {
	case b.Check != "":
		return b.Check
	case c.spec.HealthCheck == nil && t.revision.settings.balanced():
		return "elb"
	default:
		return "container"
	}
}
