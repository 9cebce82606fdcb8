// Command images builds the images of what is shipped, for all architectures, with ko and from
// nothing: they hold one static program each, and time zones and certificate authorities are in
// that. It writes them as OCI layouts, or pushes them, and prints each with its digest. The same
// commit gives the same digests, anywhere.
//
// Building needs no registry; pushing takes the credentials that docker login has left.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/ko/pkg/build"
	"github.com/google/ko/pkg/publish"
)

// commands are the images with the programs in them.
var commands = map[string]string{
	"ecsrelease":         "./cmd/manager",
	"kubectl-ecsrelease": "./cmd/kubectl-ecsrelease",
}

// user is who the programs run as: nobody in particular, as in other images without an operating system.
const user = "65532:65532"

type options struct {
	dir       string
	images    []string
	platforms string
	layout    string
	push      string
	tag       string
	sbom      string
	source    string
	version   string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	ko, err := o.builder(ctx)
	if err != nil {
		return err
	}
	for _, image := range o.images {
		reference, err := o.image(ctx, ko, image)
		if err != nil {
			return fmt.Errorf("image %s: %w", image, err)
		}
		fmt.Fprintln(out, reference)
	}
	return nil
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("images", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "Usage: images [flags] [image ...]\n\nWithout names, all whose program is there: %s.\n\n",
			strings.Join(slices.Sorted(maps.Keys(commands)), ", "))
		flags.PrintDefaults()
	}
	flags.StringVar(&o.dir, "dir", "../..", "the `directory` of the Go module with the programs")
	flags.StringVar(&o.platforms, "platforms", "linux/amd64,linux/arm64", "what to build for, by commas")
	flags.StringVar(&o.layout, "layout", "", "write an OCI layout for each image into this `directory`")
	flags.StringVar(&o.push, "push", "", "push to this `registry/namespace`")
	flags.StringVar(&o.tag, "tag", "", "the tag to push; default: v and the version")
	flags.StringVar(&o.sbom, "sbom", "", "write a bill of materials (SPDX) for each image and platform into this `directory`")
	flags.StringVar(&o.source, "source", "https://github.com/heliumai/ecsrelease", "where the sources are, for the labels")
	flags.StringVar(&o.version, "version", "0.0.0-dev", "the version, for the labels")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if (o.layout == "") == (o.push == "") {
		return o, errors.New("either --layout or --push is needed: see images --help")
	}
	o.tag = cmp.Or(o.tag, "v"+o.version)
	for _, image := range flags.Args() {
		if commands[image] == "" {
			return o, fmt.Errorf("there is no image %q, only %s", image, strings.Join(slices.Sorted(maps.Keys(commands)), ", "))
		}
	}
	o.images = flags.Args()
	if len(o.images) == 0 {
		for _, image := range slices.Sorted(maps.Keys(commands)) {
			if _, err := os.Stat(filepath.Join(o.dir, commands[image])); err == nil {
				o.images = append(o.images, image)
			}
		}
	}
	if len(o.images) == 0 {
		return o, fmt.Errorf("none of the programs is in %s", o.dir)
	}
	return o, nil
}

// builder is a ko that labels what it builds.
func (o options) builder(ctx context.Context) (build.Interface, error) {
	revision, err := git(ctx, o.dir, "rev-parse", "HEAD")
	if err != nil {
		return nil, err
	}
	committed, err := git(ctx, o.dir, "log", "-1", "--format=%ct")
	if err != nil {
		return nil, err
	}
	seconds, err := strconv.ParseInt(committed, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("reading the time of the commit: %w", err)
	}
	base, err := scratch(strings.Split(o.platforms, ","))
	if err != nil {
		return nil, err
	}
	settings := []build.Option{
		build.WithBaseImages(func(context.Context, string) (name.Reference, build.Result, error) {
			return name.MustParseReference("scratch"), base, nil
		}),
		build.WithPlatforms(strings.Split(o.platforms, ",")...),
		build.WithTrimpath(true),
		build.WithDefaultEnv([]string{"CGO_ENABLED=0"}),
		build.WithDefaultLdflags([]string{"-s", "-w"}),
		build.WithCreationTime(v1.Time{Time: time.Unix(seconds, 0).UTC()}),
	}
	for key, value := range map[string]string{
		"source": o.source, "revision": revision, "version": o.version, "licenses": "Apache-2.0",
		"title": "ecsrelease", "description": "Releases container images to Amazon ECS the Kubernetes way",
	} {
		key = "org.opencontainers.image." + key
		settings = append(settings, build.WithLabel(key, value), build.WithAnnotation(key, value))
	}
	if o.sbom == "" {
		settings = append(settings, build.WithDisabledSBOM())
	} else {
		settings = append(settings, build.WithSPDX(o.version), build.WithSBOMDir(o.sbom))
	}
	return build.NewGo(ctx, o.dir, settings...)
}

// scratch is an image with nothing in it, for each platform.
func scratch(platforms []string) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, text := range platforms {
		platform, err := v1.ParsePlatform(text)
		if err != nil {
			return nil, fmt.Errorf("platform %s: %w", text, err)
		}
		image, err := mutate.ConfigFile(mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.OCIConfigJSON), types.OCIManifestSchema1), &v1.ConfigFile{
			OS: platform.OS, Architecture: platform.Architecture, Variant: platform.Variant,
			Config: v1.Config{User: user, WorkingDir: "/"},
			RootFS: v1.RootFS{Type: "layers"},
		})
		if err != nil {
			return nil, fmt.Errorf("platform %s: %w", text, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: platform}})
	}
	return index, nil
}

// image builds an image and returns where it is, with its digest.
func (o options) image(ctx context.Context, ko build.Interface, image string) (string, error) {
	path, err := ko.QualifyImport(commands[image])
	if err != nil {
		return "", err
	}
	built, err := ko.Build(ctx, path)
	if err != nil {
		return "", err
	}
	if o.layout != "" {
		dir := filepath.Join(o.layout, image)
		if err := write(dir, built); err != nil {
			return "", err
		}
		digest, err := built.Digest()
		return dir + "@" + digest.String(), err
	}
	publisher, err := publish.NewDefault(o.push,
		publish.WithAuthFromKeychain(authn.DefaultKeychain),
		publish.WithTags([]string{o.tag}),
		publish.WithNamer(func(base, _ string) string { return base + "/" + image }))
	if err != nil {
		return "", err
	}
	reference, err := publisher.Publish(ctx, built, path)
	if err != nil {
		return "", err
	}
	return reference.String(), publisher.Close()
}

// write writes an OCI layout with one image in it. (ko's own takes no directory with a capital letter.)
func write(dir string, built build.Result) error {
	if err := os.RemoveAll(dir); err != nil { // the image would be added to the one before
		return err
	}
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	switch built := built.(type) {
	case v1.ImageIndex:
		return path.AppendIndex(built)
	case v1.Image: // for a single platform
		return path.AppendImage(built)
	default:
		return fmt.Errorf("ko has built a %T, wanted an image or an index of images", built)
	}
}

// git is what git says about the sources.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(output)), nil
}
