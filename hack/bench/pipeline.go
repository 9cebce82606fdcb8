package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"golang.org/x/sync/errgroup"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/lab"
)

// course is one way to release an image, which the old pipeline goes and the operator.
type course struct {
	name     string // of the environment, and in the names of its services
	measure  string
	regions  int
	parallel bool
	tag      string
}

// outcome is how that went.
type outcome struct {
	took  time.Duration
	calls int
	says  string // to the person who waits
	runs  string // what its service in the home region runs in the end
}

func (o outcome) String() string {
	return fmt.Sprintf("**%s**, **%d** AWS calls, says %s; %s", brief(o.took), o.calls, o.says, o.runs)
}

// comparison is both, side by side, on services of their own in the same AWS.
type comparison struct {
	*world
	courses []course
}

// pipelines is the measurement.
func pipelines(ctx context.Context, b *bench) (rows []row, err error) {
	c := &comparison{courses: []course{
		{"in-sequence", fmt.Sprintf("to %d regions, one after the other", b.size.regions), b.size.regions, false, good},
		{"in-parallel", fmt.Sprintf("to %d regions at once", b.size.regions), b.size.regions, true, good},
		{"rolled-back", "an image that crashes, to one region; ECS rolls it back", 1, false, bad},
	}}
	var clusters []lab.Cluster
	var environments []string
	for _, region := range regions[:b.size.regions] {
		cluster := lab.Cluster{Region: region, Name: busy, Prefix: helium}
		for _, course := range c.courses {
			cluster.Services = append(cluster.Services, course.ofScript(), course.ofOperator())
		}
		clusters = append(clusters, cluster)
	}
	for _, course := range c.courses {
		environments = append(environments, course.name)
	}
	say("seeding what the old pipeline and the operator release to")
	if c.world, err = newWorld(ctx, b, "pipeline", clusters, environments...); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.close(ctx)) }()
	if err := c.prepare(ctx); err != nil {
		return nil, err
	}
	scripts, err := c.scripts(ctx)
	if err != nil {
		return nil, err
	}
	operators, err := c.operators(ctx)
	if err != nil {
		return nil, err
	}
	for i, course := range c.courses {
		rows = append(rows, row{
			measure: "release " + course.measure + ": old pipeline, operator",
			how:     "`hack/bench/pipeline.sh` with the `aws` command line (describe, jq, register, update, `wait services-stable`), and then one `EcsRelease` with the same targets, from `apply` to `Ready` or `Stalled`; each on services of its own, on the same AWS",
			must:    "no figure: for comparison",
			reached: "old pipeline: " + scripts[i] + "<br>operator: " + operators[i].String(),
		})
	}
	return rows, nil
}

// ofScript and ofOperator name the services of a course.
func (c course) ofScript() string   { return "script-" + c.name }
func (c course) ofOperator() string { return "operator-" + c.name }

func (c *comparison) prepare(ctx context.Context) error {
	if err := c.aws.Settle(ctx); err != nil {
		return err
	}
	digest, err := c.aws.Push(ctx, good)
	if err != nil {
		return err
	}
	if err := c.aws.Replicated(ctx, digest); err != nil {
		return err
	}
	if err := c.crash(ctx, bad); err != nil {
		return err
	}
	for _, course := range c.courses {
		// A user for each, by whom the journal knows its calls.
		user := map[string]any{
			"account": lab.AccountID, "name": course.ofScript(),
			"accessKeyId": course.accessKey(), "secretAccessKey": scriptSecret, "unrestricted": true,
		}
		if err := c.aws.AWS.Admin(ctx, http.MethodPut, "users", user, nil); err != nil {
			return err
		}
	}
	return c.begin(ctx)
}

const scriptSecret = "bench-script-secret-bench-script-secret"

func (c course) accessKey() string {
	return fmt.Sprintf("AKIA%016s", strings.ToUpper(strings.ReplaceAll(c.name, "-", "")))
}

// scripts goes all courses by the script, at the same time.
func (c *comparison) scripts(ctx context.Context) ([]string, error) {
	results := make([]string, len(c.courses))
	for _, program := range []string{"bash", "aws", "jq"} {
		if _, err := exec.LookPath(program); err != nil {
			for i := range results {
				results[i] = "not measured: this machine has no " + program
			}
			return results, nil
		}
	}
	say("releasing by the old pipeline")
	group, ctx := errgroup.WithContext(ctx)
	for i, course := range c.courses {
		group.Go(func() error {
			done, err := c.script(ctx, course)
			results[i] = done.String()
			say("old pipeline, %s: %s", course.measure, results[i])
			return err
		})
	}
	return results, group.Wait()
}

func (c *comparison) script(ctx context.Context, course course) (outcome, error) {
	script, err := filepath.Abs(filepath.Join("hack", "bench", "pipeline.sh"))
	if err != nil {
		return outcome{}, fmt.Errorf("finding the script: %w", err)
	}
	var args []string
	if course.parallel {
		args = append(args, "--parallel")
	}
	args = append(args, lab.Repository+":"+course.tag)
	for _, region := range regions[:course.regions] {
		args = append(args, strings.Join([]string{region, busy, course.ofScript(), helium + course.ofScript()}, "/"))
	}
	cmd := exec.CommandContext(ctx, script, args...)
	cmd.Env = append(lab.CleanEnvironment(),
		"AWS_ENDPOINT_URL="+c.aws.AWS.Endpoint, "AWS_REGION="+region, "AWS_DEFAULT_REGION="+region,
		"AWS_ACCESS_KEY_ID="+course.accessKey(), "AWS_SECRET_ACCESS_KEY="+scriptSecret,
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=")
	// What it has started ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	began := time.Now()
	output, err := cmd.CombinedOutput()
	done := outcome{took: time.Since(began)}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return done, fmt.Errorf("running the old pipeline: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	done.says = fmt.Sprintf("exit code %d, %q", cmd.ProcessState.ExitCode(), cell(lines[len(lines)-1]))
	if done.calls, err = c.callsOf(ctx, course.ofScript()); err != nil {
		return done, err
	}
	done.runs, err = c.runs(ctx, course.ofScript())
	return done, err
}

// operators goes all courses by the operator, at the same time.
func (c *comparison) operators(ctx context.Context) ([]outcome, error) {
	if err := c.start(); err != nil {
		return nil, err
	}
	for _, course := range c.courses {
		var targets []ecsv1alpha1.Target
		for wave, region := range regions[:course.regions] {
			target := ecsv1alpha1.Target{Name: region, Region: region, Cluster: busy}
			if !course.parallel {
				target.Wave = int32(wave)
			}
			targets = append(targets, target)
		}
		if err := c.release(ctx, key(course.name, course.name), "v1", targets, course.ofOperator()); err != nil {
			return nil, err
		}
	}
	if err := c.ready(ctx, len(c.courses)); err != nil {
		return nil, err
	}
	if err := pause(ctx, stale); err != nil {
		return nil, err
	}
	say("releasing by the operator")
	results := make([]outcome, len(c.courses))
	var group sync.WaitGroup
	problems := make([]error, len(c.courses))
	for i, course := range c.courses {
		group.Go(func() { results[i], problems[i] = c.operator(ctx, course) })
	}
	group.Wait()
	return results, errors.Join(problems...)
}

func (c *comparison) operator(ctx context.Context, course course) (outcome, error) {
	principal := "ecsrelease-" + course.name
	before, err := c.callsOf(ctx, principal)
	if err != nil {
		return outcome{}, err
	}
	name := key(course.name, course.name)
	began, err := c.bump(ctx, name, course.tag)
	if err != nil {
		return outcome{}, err
	}
	if err := pause(ctx, time.Second); err != nil { // the watch tells of the new spec
		return outcome{}, err
	}
	var seen sighting
	err = c.await(ctx, "the release to end", func() (bool, error) {
		seen = c.releases.at(name)
		return !seen.ready.IsZero() || !seen.stuck.IsZero(), nil
	})
	if err != nil {
		return outcome{}, err
	}
	done := outcome{took: seen.ready.Sub(began), says: "`Ready`"}
	if !seen.stuck.IsZero() {
		cause, _, _ := strings.Cut(seen.detail, ";")
		done.took, done.says = seen.stuck.Sub(began), fmt.Sprintf("`Stalled`, %#q, %q", seen.reason, cell(cause))
	}
	after, err := c.callsOf(ctx, principal)
	if err != nil {
		return done, err
	}
	done.calls = after - before
	done.runs, err = c.runs(ctx, course.ofOperator())
	return done, err
}

// callsOf is how many calls somebody has made, by the name of the user or role.
func (c *comparison) callsOf(ctx context.Context, principal string) (int, error) {
	var summary struct {
		Calls []struct {
			Principal string
			Calls     int
		}
	}
	if err := c.aws.AWS.Admin(ctx, http.MethodGet, "journal/summary", nil, &summary); err != nil {
		return 0, err
	}
	n := 0
	for _, one := range summary.Calls {
		if one.Principal == principal {
			n += one.Calls
		}
	}
	return n, nil
}

// runs says what a service in the home region runs.
func (c *comparison) runs(ctx context.Context, service string) (string, error) {
	client := ecs.NewFromConfig(c.aws.AWS.Root(lab.AccountID, region))
	out, err := client.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(busy), Services: []string{service}})
	if err != nil || len(out.Services) != 1 {
		return "", fmt.Errorf("describing service %s: %w", service, err)
	}
	revision := aws.ToString(out.Services[0].TaskDefinition)
	definition, err := client.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &revision})
	if err != nil {
		return "", fmt.Errorf("describing %s: %w", revision, err)
	}
	if strings.HasSuffix(aws.ToString(definition.TaskDefinition.ContainerDefinitions[0].Image), ":v1") {
		return "the service runs the old image", nil
	}
	return "the service runs the new image", nil
}
