// Command manager runs the controller: it brings EcsReleases about. It runs in a cluster or out
// of one (--kubeconfig), and finds AWS as every SDK program does (the AWS_* variables and the
// standard credential chain).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	_ "time/tzdata" // images without an operating system lack the zones of an environment's windows

	"go.uber.org/zap/zapcore"
	_ "golang.org/x/crypto/x509roots/fallback" // the same images lack the certificate authorities; where there are some, these are not used
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/controllers"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/rollout"
)

func main() {
	o := defaults()
	o.bind(flag.CommandLine)
	logging := zap.Options{TimeEncoder: zapcore.RFC3339TimeEncoder}
	logging.BindFlags(flag.CommandLine)
	flag.Parse()
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&logging)))

	if err := run(ctrl.SetupSignalHandler(), o); err != nil {
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(1)
	}
}

// run sets everything up and blocks until ctx is done and all has ended, or something failed.
func run(ctx context.Context, o options) error {
	if err := o.complete(); err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding a cluster: %w", err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, ecsv1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return fmt.Errorf("building the scheme: %w", err)
		}
	}

	settings := ctrl.Options{
		Scheme:                        scheme,
		Metrics:                       o.metrics(),
		HealthProbeBindAddress:        o.healthAddress,
		PprofBindAddress:              o.profilesAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              o.leaderID, // of the metric only, beside a lock
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &o.leaseDuration,
		RenewDeadline:                 &o.renewDeadline,
		RetryPeriod:                   &o.retryPeriod,
		GracefulShutdownTimeout:       &o.shutdownTimeout,
		Cache:                         cache.Options{DefaultTransform: cache.TransformStripManagedFields()},
	}
	var election *elections
	if o.leaderElect {
		if election, err = newElections(config, o); err != nil {
			return err
		}
		settings.LeaderElectionResourceLockInterface = election.lead
	}
	mgr, err := ctrl.NewManager(config, settings)
	if err != nil {
		return fmt.Errorf("setting up the manager: %w", err)
	}
	if err := assemble(ctx, mgr, election, o); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// assemble puts the AWS edge and the reconcilers into the manager. Without an election it is nil,
// and everything is this process's.
func assemble(ctx context.Context, mgr ctrl.Manager, election *elections, o options) error {
	inbox, endpoints := &controllers.Inbox{}, &controllers.EndpointReconciler{}
	reconciler, environments := &controllers.ReleaseReconciler{}, &controllers.EnvironmentReconciler{}
	ownership, err := o.ownership()
	if err != nil {
		return err
	}
	if election != nil {
		claims := election.claims(func(environment string) {
			environments.Claimed(environment)
			reconciler.Claimed(environment)
		})
		if err := mgr.Add(claims); err != nil {
			return fmt.Errorf("adding the leases of environments: %w", err)
		}
		ownership.Lead, ownership.Claims = election.lead, claims
	}
	fleet, err := cloud.New(cloud.Options{
		Share:          o.quotaShare,
		CallDeadline:   o.callTimeout,
		Gate:           ownership.Gate,
		Fast:           o.inFlightInterval,
		Slow:           o.sweepInterval,
		Enqueue:        inbox.Enqueue,
		Pushed:         reconciler.Pushed,
		Registerer:     metrics.Registry,
		Log:            ctrl.Log.WithName("aws"),
		SessionCluster: o.clusterName,
	})
	if err != nil {
		return fmt.Errorf("setting up the AWS edge: %w", err)
	}
	if err := mgr.Add(fleet); err != nil {
		return fmt.Errorf("adding the informer: %w", err)
	}
	counted, err := controllers.NewMetrics(metrics.Registry, mgr.GetClient(), ownership)
	if err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	prober, err := o.prober()
	if err != nil {
		return err
	}
	*reconciler = controllers.ReleaseReconciler{
		Client:   mgr.GetClient(),
		Reader:   mgr.GetAPIReader(),
		Fleet:    fleet,
		Recorder: mgr.GetEventRecorder("ecsrelease"),
		Metrics:  counted,
		Timing: rollout.Timing{
			CallDeadline: o.callTimeout,
			Settle:       settle,
			Fast:         o.inFlightInterval,
			Slow:         o.sweepInterval,
		},
		Freshness: o.inFlightInterval,
		Inbox:     inbox,
		Workers:   o.workers,
		Ownership: ownership,
		Prober:    prober,
		Endpoints: endpoints,
	}
	if err := reconciler.SetupWithManager(ctx, mgr); err != nil {
		return fmt.Errorf("setting up the controller: %w", err)
	}
	*environments = controllers.EnvironmentReconciler{
		Client: mgr.GetClient(), Fleet: fleet, Every: o.sweepInterval, Ownership: ownership,
	}
	if err := environments.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("setting up the controller of environments: %w", err)
	}
	endpoints.Client, endpoints.Fleet, endpoints.Prober, endpoints.Recorder = mgr.GetClient(), fleet, prober, mgr.GetEventRecorder("ecsrelease")
	endpoints.Every, endpoints.Ownership = o.sweepInterval, ownership
	if err := endpoints.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("setting up the controller of endpoints: %w", err)
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("adding the health check: %w", err)
	}
	if err := mgr.AddReadyzCheck("caches", cachesSynced(mgr)); err != nil {
		return fmt.Errorf("adding the readiness check: %w", err)
	}
	return nil
}

// metrics says where metrics are served, and to whom.
func (o *options) metrics() metricsserver.Options {
	served := metricsserver.Options{BindAddress: o.metricsAddress, SecureServing: o.metricsSecure}
	if o.metricsSecure {
		served.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	return served
}
