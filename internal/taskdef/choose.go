package taskdef

import (
	"fmt"
	"slices"
	"strings"

	"heliumai.space/ecsrelease/internal/image"
)

// UnknownContainerError says that a task definition lacks containers which a
// release names.
type UnknownContainerError struct {
	TaskDefinition string // family:revision
	Names          []string
	Candidates     []string
}

func (e *UnknownContainerError) Error() string {
	return fmt.Sprintf("task definition %s has no container %s; it has %s",
		e.TaskDefinition, strings.Join(e.Names, ", "), strings.Join(e.Candidates, ", "))
}

// AmbiguousContainerError says that a release must name the containers which
// take its image, because nothing else tells them apart.
type AmbiguousContainerError struct {
	TaskDefinition string // family:revision
	Repository     string
	Candidates     []Container
}

func (e *AmbiguousContainerError) Error() string {
	candidates := make([]string, len(e.Candidates))
	for i, c := range e.Candidates {
		candidates[i] = fmt.Sprintf("%s (%s)", c.Name, describeImage(c))
	}
	return fmt.Sprintf("task definition %s has no container that runs %s and not exactly one that is essential; name those that take it in containerNames: %s",
		e.TaskDefinition, e.Repository, strings.Join(candidates, ", "))
}

func describeImage(c Container) string {
	if c.Image == "" {
		return "no image"
	}
	return c.Image
}

// Choose says which containers of base take an image of repo: those that
// names lists, if it lists any; else all whose image comes from the repository
// of repo already; else the only essential one. The names come back once each,
// in the order of the document.
//
// It is an UnknownContainerError if base lacks one of names, and an
// AmbiguousContainerError if the rules choose none. repo must have been
// resolved to a registry (image.Reference.In) unless names is given.
func Choose(base *Document, names []string, repo image.Reference) ([]string, error) {
	if len(names) > 0 {
		if err := mustHave(base, names); err != nil {
			return nil, err
		}
		return base.namesWhere(func(c Container) bool { return slices.Contains(names, c.Name) }), nil
	}
	if repo.Host == "" {
		return nil, fmt.Errorf("choosing containers of %s: image %s is not resolved to a registry", base.Name(), repo)
	}
	if chosen := base.namesWhere(func(c Container) bool { return repo.SameRepository(c.Image) }); len(chosen) > 0 {
		return chosen, nil
	}
	if chosen := base.namesWhere(func(c Container) bool { return c.Essential }); len(chosen) == 1 {
		return chosen, nil
	}
	return nil, &AmbiguousContainerError{TaskDefinition: base.Name(), Repository: repo.Name(), Candidates: base.Containers()}
}

// mustHave is an UnknownContainerError if d lacks one of names.
func mustHave(d *Document, names []string) error {
	missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, ok := d.Container(name)
		return ok
	})
	if len(missing) == 0 {
		return nil
	}
	return &UnknownContainerError{
		TaskDefinition: d.Name(),
		Names:          missing,
		Candidates:     d.namesWhere(func(Container) bool { return true }),
	}
}

func (d *Document) namesWhere(take func(Container) bool) []string {
	var names []string
	for _, c := range d.containers {
		if take(c) {
			names = append(names, c.Name)
		}
	}
	return names
}
