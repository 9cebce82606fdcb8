package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/lab"
	"heliumai.space/ecsrelease/internal/rollout"
)

// endpoint is the EcsEndpoint that each environment of config/samples has.
const endpoint = "api"

// wayIn wires the domains of both environments, has their paths drawn, and then breaks and heals a
// certificate.
func (w *world) wayIn(ctx context.Context) error {
	say("the way in: the endpoints of config/samples are checklists as long as nothing is\n   wired. kubectl ecsrelease path %s -n %s", endpoint, production)
	if err := w.endpointIs(ctx, production, ecsv1alpha1.ReasonUnwired); err != nil {
		return err
	}
	if err := w.path(ctx, production); err != nil {
		return err
	}
	say("an admin puts load balancers before the backends, and wires %s\n   to Mumbai's staging cluster and %s, through Global Accelerator, to all of production", host(staging), host(production))
	fronts, err := w.account.Balance(ctx, crashingThere, w.account.Clusters...)
	if err != nil {
		return err
	}
	if _, err := w.wire(ctx, staging, fronts); err != nil {
		return err
	}
	way, err := w.wire(ctx, production, fronts)
	if err != nil {
		return err
	}
	for _, environment := range []string{staging, production} {
		if err := w.endpointIs(ctx, environment, ecsv1alpha1.ReasonReachable); err != nil {
			return err
		}
		say("kubectl ecsrelease path %s -n %s", endpoint, environment)
		if err := w.path(ctx, environment); err != nil {
			return err
		}
	}
	broken := way.Doors[0].Certificate
	say("the certificate of the first region of production expires")
	if err := w.certificate(ctx, broken, "EXPIRED"); err != nil {
		return err
	}
	if err := w.endpointIs(ctx, production, ecsv1alpha1.ReasonBroken); err != nil {
		return err
	}
	if err := w.path(ctx, production); err != nil {
		return err
	}
	say("and is renewed")
	if err := w.certificate(ctx, broken, "ISSUED"); err != nil {
		return err
	}
	if err := w.endpointIs(ctx, production, ecsv1alpha1.ReasonReachable); err != nil {
		return err
	}
	return w.path(ctx, production)
}

// host is the name by which an environment is reached.
func host(environment string) string {
	return map[string]string{staging: "staging." + lab.Zone, production: "api." + lab.Zone}[environment]
}

// wire makes what leads to those fronts that are an environment's, and has its endpoint name what was made.
func (w *world) wire(ctx context.Context, environment string, fronts []lab.Front) (*seed.WayIn, error) {
	fronts = slices.DeleteFunc(slices.Clone(fronts), func(front lab.Front) bool {
		return strings.Contains(front.Cluster.Name, staging) != (environment == staging)
	})
	accelerator := ""
	if environment == production {
		accelerator = "helium"
	}
	way, err := w.account.Wire(ctx, host(environment), accelerator, fronts)
	if err != nil {
		return nil, err
	}
	named, err := w.endpoint(ctx, environment)
	if err != nil {
		return nil, err
	}
	before := named.DeepCopy()
	named.Spec.AcceleratorARN = way.Accelerator
	named.Spec.Regions = nil
	for _, front := range fronts {
		named.Spec.Regions = append(named.Spec.Regions, ecsv1alpha1.EndpointRegion{
			Region: front.Cluster.Region, LoadBalancerARN: front.Balanced.LoadBalancer,
			Services: []ecsv1alpha1.EndpointService{{Cluster: front.Cluster.Name, Name: crashingThere}},
		})
	}
	if err := w.Client.Patch(ctx, named, client.MergeFrom(before)); err != nil {
		return nil, fmt.Errorf("naming what was wired in endpoint %s/%s: %w", environment, endpoint, err)
	}
	return way, nil
}

func (w *world) endpoint(ctx context.Context, environment string) (*ecsv1alpha1.EcsEndpoint, error) {
	var found ecsv1alpha1.EcsEndpoint
	if err := w.Client.Get(ctx, types.NamespacedName{Namespace: environment, Name: endpoint}, &found); err != nil {
		return nil, fmt.Errorf("reading endpoint %s/%s: %w", environment, endpoint, err)
	}
	return &found, nil
}

// endpointIs waits until Ready of an environment's endpoint has a reason.
func (w *world) endpointIs(ctx context.Context, environment, reason string) error {
	for {
		found, err := w.endpoint(ctx, environment)
		if err != nil {
			return err
		}
		ready := meta.FindStatusCondition(found.Status.Conditions, ecsv1alpha1.ConditionReady)
		if ready != nil && ready.ObservedGeneration == found.Generation && ready.Reason == reason {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for endpoint %s/%s to be %s, it is %+v: %w", environment, endpoint, reason, ready, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// certificate makes a certificate of the local AWS another one.
func (w *world) certificate(ctx context.Context, arn, status string) error {
	return w.account.AWS.Admin(ctx, http.MethodPut, "certificates", map[string]string{"certificate": arn, "status": status}, nil)
}

// path has the plugin of kubectl draw an endpoint of an environment.
func (w *world) path(ctx context.Context, environment string) error {
	cmd := exec.CommandContext(ctx, w.Path("kubectl-ecsrelease"), "path", endpoint, "-n", environment)
	cmd.Env = append(lab.CleanEnvironment(), "KUBECONFIG="+w.Kubeconfig)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	fmt.Println()
	err := cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code == rollout.ExitFailed || code == rollout.ExitPerson {
		return nil // it says so that the way does not lead on
	}
	if err != nil {
		return fmt.Errorf("drawing endpoint %s/%s: %w", environment, endpoint, err)
	}
	return nil
}
