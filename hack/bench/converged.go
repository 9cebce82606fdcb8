package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"heliumai.space/ecsrelease/internal/lab"
)

const (
	convergedServices = 100
	perRelease        = 2
	sweeps            = 4
	sweepInterval     = 10 * time.Second
	crowd             = "helium-bench-crowd"
)

// converged measures what a cluster costs in which nothing happens.
type converged struct {
	*world
	metrics string // where the manager serves them
}

func newConverged(ctx context.Context, machine *lab.Machine) (*converged, error) {
	say("seeding %d services in one cluster", convergedServices)
	cluster := lab.Cluster{Region: region, Name: crowd, Prefix: "helium-"}
	for i := range convergedServices {
		cluster.Services = append(cluster.Services, fmt.Sprintf("service-%03d", i))
	}
	w, err := newWorld(ctx, machine, "converged", []lab.Cluster{cluster})
	if err != nil {
		return nil, err
	}
	if err := w.aws.AWS.Admin(ctx, http.MethodPut, "quotas", map[string]bool{"enabled": true}, nil); err != nil {
		return nil, err
	}
	address, err := lab.FreeAddress()
	return &converged{world: w, metrics: address}, err
}

// costs are counters that go up.
type costs struct {
	reconciles, writes float64
}

func (c *converged) measure(ctx context.Context) ([]row, error) {
	say("releasing to %d services and waiting until all have converged", convergedServices)
	if err := c.start("--metrics-bind-address="+c.metrics, "--sweep-interval="+sweepInterval.String()); err != nil {
		return nil, err
	}
	for i := 0; i < convergedServices; i += perRelease {
		name := fmt.Sprintf("release-%03d", i)
		if err := c.release(ctx, name, crowd, c.aws.Clusters[0].Services[i:i+perRelease]...); err != nil {
			return nil, err
		}
	}
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	// What was under way when the last of them became ready ends before the next sweep does.
	if err := pause(ctx, 2*sweepInterval); err != nil {
		return nil, err
	}
	say("watching %d sweeps", sweeps)
	return c.watch(ctx)
}

// watch counts what happens while all services are looked at a number of times.
func (c *converged) watch(ctx context.Context) ([]row, error) {
	before, err := c.costs(ctx)
	if err != nil {
		return nil, err
	}
	after, err := c.last(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	var describes, looks, others int
	err = c.await(ctx, "the sweeps", func() (bool, error) {
		made, err := c.calls(ctx, after)
		describes, looks, others = 0, 0, 0
		for _, one := range made {
			if one.Operation == "DescribeServices" {
				describes++
				looks += len(one.Request.Services)
				continue
			}
			others++
		}
		return looks >= sweeps*convergedServices, err
	})
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	now, err := c.costs(ctx)
	if err != nil {
		return nil, err
	}
	return []row{{
		what: fmt.Sprintf("%d converged services in one cluster", convergedServices),
		setup: fmt.Sprintf("%d releases of %d services; `--sweep-interval=%s` in place of 5m, so that %d sweeps fit into %s; quotas of AWS on, our share 0.5",
			convergedServices/perRelease, perRelease, sweepInterval, sweeps, took.Round(time.Second)),
		result: fmt.Sprintf("**%.4g** DescribeServices calls a sweep; in all sweeps **%d** other AWS calls, **%.0f** status writes, **%.0f** reconciles",
			float64(describes)*convergedServices/float64(looks), others, now.writes-before.writes, now.reconciles-before.reconciles),
	}}, nil
}

// costs reads the manager's count of reconciles and the API server's of status writes.
func (c *converged) costs(ctx context.Context) (costs, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.metrics+"/metrics", http.NoBody)
	if err != nil {
		return costs{}, fmt.Errorf("asking for the manager's metrics: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return costs{}, fmt.Errorf("asking for the manager's metrics: %w", err)
	}
	defer response.Body.Close()
	var found costs
	if found.reconciles, err = sum(response.Body, "controller_runtime_reconcile_total", `controller="ecsrelease"`); err != nil {
		return costs{}, fmt.Errorf("reading the manager's metrics: %w", err)
	}
	output, err := c.machine.Command(ctx, "get", "--raw", "/metrics").Output()
	if err != nil {
		return costs{}, fmt.Errorf("asking for the API server's metrics: %w", err)
	}
	found.writes, err = sum(strings.NewReader(string(output)), "apiserver_request_total",
		`group="ecs.heliumai.space"`, `resource="ecsreleases"`, `subresource="status"`, `verb="PATCH"`)
	if err != nil {
		return costs{}, fmt.Errorf("reading the API server's metrics: %w", err)
	}
	return found, nil
}

// sum adds up the series of a metric that have all the labels. That there are none is an error:
// when anybody measures, much was counted before.
func sum(text io.Reader, name string, labels ...string) (float64, error) {
	total, found := 0.0, false
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<20)
next:
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, name+"{") {
			continue
		}
		for _, label := range labels {
			if !strings.Contains(line, label) {
				continue next
			}
		}
		value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", name, err)
		}
		total, found = total+value, true
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	if !found {
		return 0, fmt.Errorf("there is no metric %s with %s", name, strings.Join(labels, ", "))
	}
	return total, nil
}
