package main

import (
	"errors"
	"flag"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/leaderelection"

	"heliumai.space/ecsrelease/controllers"
)

// settle is how long after a call's deadline a look must begin to prove, by finding nothing,
// that the call was not carried out: ECS is eventually consistent.
const settle = 30 * time.Second

// options are the manager's flags.
type options struct {
	metricsAddress  string
	metricsSecure   bool
	healthAddress   string
	profilesAddress string
	shutdownTimeout time.Duration

	leaderElect     bool
	leaderNamespace string
	leaderID        string
	leaseDuration   time.Duration
	renewDeadline   time.Duration
	retryPeriod     time.Duration

	environmentSelector string

	clusterName      string
	quotaShare       float64
	callTimeout      time.Duration
	inFlightInterval time.Duration
	sweepInterval    time.Duration
	workers          int

	verificationAllow  string
	verificationDeny   string
	verificationCAFile string
}

func defaults() options {
	return options{
		metricsAddress:   ":8443",
		metricsSecure:    true,
		healthAddress:    ":8081",
		profilesAddress:  "0",
		shutdownTimeout:  30 * time.Second,
		leaderElect:      true,
		leaderID:         "ecsrelease.ecs.heliumai.space",
		leaseDuration:    15 * time.Second,
		renewDeadline:    10 * time.Second,
		retryPeriod:      time.Second,
		quotaShare:       0.5,
		inFlightInterval: 5 * time.Second,
		sweepInterval:    5 * time.Minute,
		workers:          20,
	}
}

// bind makes flags of the options.
func (o *options) bind(flags *flag.FlagSet) {
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", o.metricsAddress, "Where metrics are served; 0 serves none.")
	flags.BoolVar(&o.metricsSecure, "metrics-secure", o.metricsSecure, "Serve metrics by HTTPS, to those whom the cluster's RBAC lets read them.")
	flags.StringVar(&o.healthAddress, "health-probe-bind-address", o.healthAddress, "Where /healthz and /readyz are served; 0 serves none.")
	flags.StringVar(&o.profilesAddress, "pprof-bind-address", o.profilesAddress, "Where Go's profiles are served, such as 127.0.0.1:6060, to whoever reaches it; 0 serves none.")
	flags.DurationVar(&o.shutdownTimeout, "graceful-shutdown-timeout", o.shutdownTimeout, "How long passes under way may take to end before the lease is released.")
	flags.BoolVar(&o.leaderElect, "leader-elect", o.leaderElect, "Let one of several managers act. Without it there must never be two.")
	flags.StringVar(&o.leaderNamespace, "leader-election-namespace", o.leaderNamespace, "The namespace of the lease. Default: the pod's own, outside of a cluster default.")
	flags.StringVar(&o.leaderID, "leader-election-id", o.leaderID, "The name of the lease.")
	flags.DurationVar(&o.leaseDuration, "lease-duration", o.leaseDuration, "How long a lease lasts that is not renewed.")
	flags.DurationVar(&o.renewDeadline, "renew-deadline", o.renewDeadline, "How long a leader tries to renew its lease before it gives up.")
	flags.DurationVar(&o.retryPeriod, "retry-period", o.retryPeriod, "How long to wait between two tries to acquire or renew the lease.")
	flags.StringVar(&o.environmentSelector, "environment-selector", o.environmentSelector, "The labels of the EcsEnvironments that are this manager's, such as team=a or !team; managers that divide environments need a --leader-election-id each. Default: all.")
	flags.StringVar(&o.clusterName, "cluster-name", o.clusterName, "What this Kubernetes cluster is called in the names of AWS role sessions and in their tag ecsrelease:cluster. Default: in neither.")
	flags.Float64Var(&o.quotaShare, "quota-share", o.quotaShare, "The share of AWS's published request rates to use, more than 0, at most 1.")
	flags.DurationVar(&o.callTimeout, "aws-call-timeout", o.callTimeout, "The longest that an AWS call which changes something may take. Default: a third of the lease.")
	flags.DurationVar(&o.inFlightInterval, "in-flight-interval", o.inFlightInterval, "How often to look at services that are being deployed.")
	flags.DurationVar(&o.sweepInterval, "sweep-interval", o.sweepInterval, "How often to look at settled services.")
	flags.IntVar(&o.workers, "workers", o.workers, "How many releases are worked on side by side.")
	flags.StringVar(&o.verificationAllow, "verification-allow-cidrs", o.verificationAllow, "Ranges of addresses, by commas, that HTTP checks of releases may dial although they are not public, such as those of internal load balancers.")
	flags.StringVar(&o.verificationDeny, "verification-deny-cidrs", o.verificationDeny, "Ranges of addresses, by commas, that HTTP checks of releases never dial, such as those of pods and services with public addresses.")
	flags.StringVar(&o.verificationCAFile, "verification-ca-file", o.verificationCAFile, "A file of certificate authorities (PEM) that HTTP checks of releases trust as well as the system's.")
}

// complete fills in what depends on other options, and refuses what can't work.
func (o *options) complete() error {
	if o.callTimeout == 0 {
		o.callTimeout = o.leaseDuration / 3
	}
	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	check(o.quotaShare > 0 && o.quotaShare <= 1, "--quota-share is %g: it must be more than 0 and at most 1", o.quotaShare)
	check(o.callTimeout > 0, "--aws-call-timeout is %s: it must be more than 0", o.callTimeout)
	check(!o.leaderElect || o.callTimeout+o.margin()+o.retryPeriod < o.leaseDuration,
		"--aws-call-timeout is %s: with a tenth of the lease to spare and --retry-period %s it must fit into --lease-duration %s, or no call could ever be made", o.callTimeout, o.retryPeriod, o.leaseDuration)
	check(!o.leaderElect || o.renewDeadline < o.leaseDuration,
		"--renew-deadline is %s: it must be shorter than --lease-duration %s", o.renewDeadline, o.leaseDuration)
	check(!o.leaderElect || float64(o.renewDeadline) > leaderelection.JitterFactor*float64(o.retryPeriod),
		"--renew-deadline is %s: it must leave time for a second try after --retry-period %s", o.renewDeadline, o.retryPeriod)
	check(o.shutdownTimeout >= o.callTimeout,
		"--graceful-shutdown-timeout is %s: it must not be shorter than --aws-call-timeout %s, or the lease could be released under a call", o.shutdownTimeout, o.callTimeout)
	check(o.inFlightInterval > 0, "--in-flight-interval is %s: it must be more than 0", o.inFlightInterval)
	check(o.sweepInterval >= o.inFlightInterval, "--sweep-interval is %s: it must not be shorter than --in-flight-interval %s", o.sweepInterval, o.inFlightInterval)
	check(o.workers > 0, "--workers is %d: it must be at least 1", o.workers)
	check(o.environmentSelector == "" || !o.leaderElect || o.leaderID != defaults().leaderID,
		"--environment-selector is %q: each manager that has one needs a --leader-election-id of its own, or only one of them would ever act", o.environmentSelector)
	if _, err := o.ownership(); err != nil {
		problems = append(problems, err)
	}
	if _, err := o.prober(); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// ownership says which environments are this manager's, before anybody leads it.
func (o *options) ownership() (*controllers.Ownership, error) {
	if o.environmentSelector == "" {
		return &controllers.Ownership{}, nil
	}
	selector, err := labels.Parse(o.environmentSelector)
	if err != nil {
		return nil, fmt.Errorf("--environment-selector is %q: %w", o.environmentSelector, err)
	}
	return &controllers.Ownership{Selector: selector}, nil
}

// margin is what is kept of a lease for clocks that differ and for the way to AWS.
func (o *options) margin() time.Duration { return o.leaseDuration / 10 }
