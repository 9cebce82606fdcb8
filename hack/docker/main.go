// Command docker stands in for Docker where tests run what users run: a machine with no daemon,
// and a registry that is simulated. It knows the three commands that hack/ci/build.sh gives
// (login, logout, buildx build --push) and refuses whatever it does not know. An image that is
// "built" consists of the Dockerfile; it goes to ECR by its API, as docker would push it:
// configs with the labels, manifests, and an index with attestations where provenance is asked for.
//
// Build it as docker and put its directory at the front of PATH. AWS is found as every SDK program
// finds it, by AWS_ENDPOINT_URL and so on.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "docker:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	switch {
	case len(args) > 0 && args[0] == "login":
		return login(args[1:], stdin)
	case len(args) > 0 && args[0] == "logout":
		return logout(args[1:])
	case len(args) > 1 && args[0] == "buildx" && args[1] == "build":
		return build(ctx, args[2:], stdout)
	}
	return fmt.Errorf("this stand-in does not know %q", args)
}

// registry is the host of a registry of ECR: its account and its region.
var registry = regexp.MustCompile(`^([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com$`)

// auths are the registries that somebody is logged in to, as Docker keeps them.
type auths struct {
	Auths map[string]struct{} `json:"auths"`
}

// configFile is where they are. It is never the one in the home directory, which is the real
// Docker's.
func configFile() (string, error) {
	dir := os.Getenv("DOCKER_CONFIG")
	if dir == "" {
		return "", errors.New("DOCKER_CONFIG is not set; this stand-in keeps out of the home directory")
	}
	return filepath.Join(dir, "config.json"), nil
}

func readAuths() (auths, error) {
	known := auths{Auths: map[string]struct{}{}}
	path, err := configFile()
	if err != nil {
		return known, err
	}
	content, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return known, nil
	case err != nil:
		return known, err
	}
	err = json.Unmarshal(content, &known)
	return known, err
}

func (a auths) write() error {
	path, err := configFile()
	if err != nil {
		return err
	}
	content, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

func login(args []string, stdin io.Reader) error {
	if len(args) != 4 || args[0] != "--username" || args[1] != "AWS" || args[2] != "--password-stdin" || !registry.MatchString(args[3]) {
		return fmt.Errorf("login: want --username AWS --password-stdin and a registry of ECR, got %q", args)
	}
	password, err := io.ReadAll(stdin)
	if err != nil {
		return fmt.Errorf("login: reading the password: %w", err)
	}
	if strings.TrimSpace(string(password)) == "" {
		return errors.New("login: the password is empty")
	}
	known, err := readAuths()
	if err != nil {
		return fmt.Errorf("login: %w", err)
	}
	known.Auths[args[3]] = struct{}{}
	return known.write()
}

func logout(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("logout: want a registry, got %q", args)
	}
	known, err := readAuths()
	if err != nil {
		return fmt.Errorf("logout: %w", err)
	}
	if _, ok := known.Auths[args[0]]; !ok {
		return fmt.Errorf("logout: not logged in to %q", args[0])
	}
	delete(known.Auths, args[0])
	return known.write()
}

// once is the value of a flag that may be given once.
type once struct{ value *string }

func (o once) String() string {
	if o.value == nil {
		return ""
	}
	return *o.value
}

func (o once) Set(value string) error {
	if *o.value != "" {
		return fmt.Errorf("given twice: %q and %q", *o.value, value)
	}
	if value == "" {
		return errors.New("empty")
	}
	*o.value = value
	return nil
}

// order is what buildx build is told.
type order struct {
	platforms, tag, provenance, sbom, file, context string
	push                                            bool
	labels                                          map[string]string
}

func parse(args []string) (order, error) {
	o := order{labels: map[string]string{}}
	flags := flag.NewFlagSet("buildx build", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	for name, value := range map[string]*string{
		"platform": &o.platforms, "tag": &o.tag, "provenance": &o.provenance, "sbom": &o.sbom, "file": &o.file,
	} {
		flags.Var(once{value}, name, "")
	}
	flags.BoolVar(&o.push, "push", false, "")
	flags.Func("label", "", func(label string) error {
		name, value, ok := strings.Cut(label, "=")
		if _, twice := o.labels[name]; !ok || name == "" || twice {
			return fmt.Errorf("want a name=value that was not given before, got %q", label)
		}
		o.labels[name] = value
		return nil
	})
	flags.Func("build-arg", "", func(string) error { return nil })
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() != 1 {
		return o, fmt.Errorf("want one directory to build, got %q", flags.Args())
	}
	o.context = flags.Arg(0)
	switch {
	case !o.push:
		return o, errors.New("there is no --push: the image would stay on this machine")
	case o.platforms == "" || o.tag == "" || o.file == "":
		return o, errors.New("--platform, --tag and --file are needed")
	case !slices.Contains([]string{"false", "mode=min", "mode=max"}, o.provenance):
		return o, fmt.Errorf("--provenance is %q; say whether an attestation is wanted", o.provenance)
	case o.sbom != "false":
		return o, fmt.Errorf("--sbom is %q, want false", o.sbom)
	}
	return o, nil
}

func build(ctx context.Context, args []string, stdout io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return fmt.Errorf("buildx build: %w", err)
	}
	host, name, _ := strings.Cut(o.tag, "/")
	repository, tag, tagged := strings.Cut(name, ":")
	parts := registry.FindStringSubmatch(host)
	if parts == nil || !tagged {
		return fmt.Errorf("buildx build: %q is no tag in a registry of ECR", o.tag)
	}
	known, err := readAuths()
	if err != nil {
		return fmt.Errorf("buildx build: %w", err)
	}
	if _, ok := known.Auths[host]; !ok {
		return fmt.Errorf("buildx build: not logged in to %s", host)
	}
	if info, err := os.Stat(o.context); err != nil || !info.IsDir() {
		return fmt.Errorf("buildx build: %q is no directory to build", o.context)
	}
	recipe, err := os.ReadFile(o.file)
	if err != nil {
		return fmt.Errorf("buildx build: %w", err)
	}
	if strings.Contains(string(recipe), "\nRUN false\n") {
		return errors.New(`buildx build: process "/bin/sh -c false" did not complete successfully: exit code: 1`)
	}
	settings, err := config.LoadDefaultConfig(ctx, config.WithRegion(parts[2]))
	if err != nil {
		return fmt.Errorf("buildx build: %w", err)
	}
	digest, err := seed.Push(ctx, ecr.NewFromConfig(settings), repository, tag, seed.Image{
		Platforms: strings.Split(o.platforms, ","), Labels: o.labels,
		Attestation: o.provenance != "false", Content: string(recipe),
	})
	if err != nil {
		return fmt.Errorf("buildx build: %w", err)
	}
	fmt.Fprintf(stdout, "pushed %s@%s\n", o.tag, digest)
	return nil
}
