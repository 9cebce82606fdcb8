package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"heliumai.space/ecsrelease/internal/lab"
)

// failovers has a leader die some times, and end in order as often, while another manager waits.
func (r *rollout) failovers(ctx context.Context) ([]row, error) {
	say("ending the leader %d times by SIGKILL and as often by SIGTERM", r.size.failovers)
	if err := r.stop(); err != nil {
		return nil, err
	}
	if err := r.start(slices.Concat(theLease, []string{"--cluster-name=first"})...); err != nil {
		return nil, err
	}
	if _, err := r.firstCall(ctx, "first"); err != nil {
		return nil, err
	}
	var killed, ended []time.Duration
	for i := range r.size.failovers {
		for _, way := range []struct {
			end   func(*lab.Process) error
			times *[]time.Duration
			name  string
		}{
			{func(p *lab.Process) error { r.machine.Kill(p); return nil }, &killed, "killed"},
			{r.machine.Stop, &ended, "ended"},
		} {
			took, err := r.failover(ctx, fmt.Sprintf("after-%s-%d", way.name, i), way.end)
			if err != nil {
				return nil, err
			}
			*way.times = append(*way.times, took)
		}
	}
	how := fmt.Sprintf("two managers with leader election by the default lease (15 s, tries every second), %d releases that have ended; %d times; from the signal to the first call to ECS of the other one, as AWS sees it", len(r.aws.Clusters[0].Services), r.size.failovers)
	return []row{
		{measure: "failover: `kill -9` of the leader to the new one's first AWS read", how: how, must: "20s", reached: spread(killed)},
		{measure: "failover: SIGTERM to the leader to the new one's first AWS read", how: how, must: "3s", reached: spread(ended)},
	}, nil
}

// failover ends the leader while a second manager stands by, which is the leader from then on. It says how
// long AWS heard of neither.
func (r *rollout) failover(ctx context.Context, name string, end func(*lab.Process) error) (time.Duration, error) {
	address, err := lab.FreeAddress()
	if err != nil {
		return 0, err
	}
	standby, err := r.launch("manager-"+name, slices.Concat(theLease, []string{"--cluster-name=" + name, "--health-probe-bind-address=" + address})...)
	if err != nil {
		return 0, err
	}
	// A standby that has just started has caches to fill; what stands by for long has not.
	if err := r.await(ctx, "the second manager to stand by", func() (bool, error) { return isReady(ctx, address) }); err != nil {
		return 0, err
	}
	if err := pause(ctx, time.Second); err != nil {
		return 0, err
	}
	if _, err := r.next(ctx); err != nil {
		return 0, err
	}
	leader := r.manager
	r.manager = standby
	began := time.Now()
	if err := end(leader); err != nil {
		return 0, err
	}
	at, err := r.firstCall(ctx, name)
	return at.Sub(began), err
}

// firstCall waits until a manager has asked ECS something, and says when.
func (r *rollout) firstCall(ctx context.Context, name string) (at time.Time, err error) {
	err = r.await(ctx, "the manager "+name+" to look", func() (bool, error) {
		made, err := r.next(ctx)
		for _, one := range made {
			// The session of a role is called by the manager's cluster.
			if one.Service == "ecs" && strings.Contains(one.Principal, name) {
				at = one.Time
				return true, nil
			}
		}
		return false, err
	})
	return at, err
}

// isReady asks a manager whether its caches are filled.
func isReady(ctx context.Context, address string) (bool, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", http.NoBody)
	if err != nil {
		return false, fmt.Errorf("asking whether a manager is ready: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		if errors.Is(err, ctx.Err()) {
			return false, err
		}
		return false, nil // it does not listen yet
	}
	defer response.Body.Close() // only its status is read
	return response.StatusCode == http.StatusOK, nil
}
