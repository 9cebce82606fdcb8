package main

import "time"

// size is how much is measured. What is measured is the same at any size.
type size struct {
	// speed is how many times as fast as in AWS pass the things that ECS takes time for.
	speed float64
	// samples are the releases of each kind whose way to UpdateService is timed, pace apart: the
	// quota of registrations refills at half a token a second.
	samples int
	pace    time.Duration
	// rollouts and failures are the deployments that are followed to their end.
	rollouts, failures int
	// failovers of each kind.
	failovers int
	// releases are those of the fleet, which is watched for some sweeps.
	releases int
	sweep    time.Duration
	sweeps   int
	// glance is how often the CPU time that was used is read.
	glance time.Duration
	// scrape is how often the fleet's manager is asked for its metrics: as often as Prometheus often does.
	scrape time.Duration
	// profiled is how long the profiles last.
	profiled time.Duration
	// regions is how many the old pipeline releases to.
	regions int
	// bumped is how many releases are bumped at once, in the simulation.
	bumped int
	// weighed is how many releases a manager has that is weighed there, days how many pass meanwhile.
	weighed, days int
}

// whole is what the published table is made with.
func whole(releases int, sweep time.Duration) size {
	return size{
		speed: 1, samples: 25, pace: 3 * time.Second, rollouts: 40, failures: 10, failovers: 5,
		releases: releases, sweep: sweep, sweeps: 2, glance: 5 * time.Second, scrape: 30 * time.Second, profiled: time.Minute, regions: 3, bumped: 1000, weighed: 200, days: 7,
	}
}

// least is what shows that every row comes out.
var least = size{
	speed: 20, samples: 2, rollouts: 2, failures: 1, failovers: 1,
	releases: 20, sweep: 5 * time.Second, sweeps: 1, glance: time.Second, scrape: time.Second, profiled: 2 * time.Second, regions: 2, bumped: 40, weighed: 5, days: 1,
}
