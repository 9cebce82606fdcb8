package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/image"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/screen"
)

func (p *plugin) diffCommand() *cobra.Command {
	var images []string
	var registry, format string
	cmd := &cobra.Command{
		Use:     "diff NAME",
		GroupID: groupLook,
		Short:   "Show what a release would register, against what runs",
		Long: `Show, service by service, in what the task definition that a release would register differs from the
one that runs. Values that may be secret, such as those of environment variables, are not shown.

AWS is asked with your own credentials, found as the aws command line finds them (AWS_PROFILE, AWS_*,
AWS_ENDPOINT_URL, …), and nothing is changed there. Ends with 0 when there is nothing to register, 1 when
there is, 4 when a service could not be compared.`,
		Example: `  kubectl ecsrelease diff helium-backend -n production
  kubectl ecsrelease diff helium-backend -n production --image helium-backend:v129`,
		Args:              one("release"),
		ValidArgsFunction: p.completeReleases,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, release, err := p.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			want, err := wantOf(release, images)
			if err != nil {
				return err
			}
			if hold := release.Status.Hold; hold != nil {
				fmt.Fprintf(p.problems, "release %d is held: what follows is for when that ends\n", hold.Number)
			}
			if registry == "" {
				registry = c.registryOf(cmd.Context(), release, func(err error) {
					fmt.Fprintf(p.problems, "taking each target's own account for that of the registry (--registry-account says another): %v\n", err)
				})
			}
			plans, err := compare(cmd.Context(), release, want, registry)
			if err != nil {
				return err
			}
			terminal, _ := p.terminal()
			if err := p.print(format, plans, func() []string { return screen.Plans(plans, terminal) }); err != nil {
				return err
			}
			return verdict(plans)
		},
	}
	cmd.Flags().StringArrayVar(&images, "image", nil, "An image to take instead of the spec's; for spec.containers CONTAINER=IMAGE, more than once if need be.")
	cmd.Flags().StringVar(&registry, "registry-account", "", "The account whose ECR has images without a host. Default: what the EcsEnvironment says, else each target's own.")
	outputFlag(cmd, &format)
	return cmd
}

// verdict is how diff ends.
func verdict(plans []screen.Plan) error {
	var failed []string
	for _, plan := range plans {
		if plan.Problem != "" {
			failed = append(failed, plan.Target+"/"+plan.Service)
		}
	}
	switch {
	case len(failed) > 0:
		return fmt.Errorf("%d of %d services could not be compared: %s", len(failed), len(plans), strings.Join(failed, ", "))
	case slices.ContainsFunc(plans, func(p screen.Plan) bool { return len(p.Changes) > 0 }):
		return &ending{code: rollout.ExitFailed}
	default:
		return nil
	}
}

// want is an image that goes into containers.
type want struct {
	// container is the container that takes it; "" for spec.image, for which it is chosen.
	container string
	reference image.Reference
	// digest is what the controller froze of it; "" where it froze nothing.
	digest string
}

// wantOf are the images of the spec, or others instead.
func wantOf(release *ecsv1alpha1.EcsRelease, instead []string) ([]want, error) {
	entries := slices.Clone(release.Spec.Containers)
	if release.Spec.Image != "" {
		entries = []ecsv1alpha1.ContainerImage{{Image: release.Spec.Image}}
	}
	for _, other := range instead {
		container, spelled, named := strings.Cut(other, "=")
		if !named {
			container, spelled = "", other
		}
		i := slices.IndexFunc(entries, func(e ecsv1alpha1.ContainerImage) bool { return e.Name == container })
		if i < 0 {
			return nil, fmt.Errorf("--image %s: the release has %s; name one of these, for spec.containers as CONTAINER=IMAGE", other, screen.Asked(release))
		}
		entries[i].Image = spelled
	}
	wants := make([]want, 0, len(entries))
	for _, entry := range entries {
		reference, err := image.Parse(entry.Image)
		if err != nil {
			return nil, err
		}
		w := want{container: entry.Name, reference: reference, digest: reference.Digest}
		for _, frozen := range release.Status.Images {
			if frozen.Container == entry.Name && frozen.Image == entry.Image {
				w.digest = frozen.Digest
			}
		}
		wants = append(wants, w)
	}
	return wants, nil
}

// registryOf is the account whose ECR has the images without a host, as the environment of the release
// says; "" where it says none. Who may not read environments is told so.
func (c *cluster) registryOf(ctx context.Context, release *ecsv1alpha1.EcsRelease, untold func(error)) string {
	var list ecsv1alpha1.EcsEnvironmentList
	if err := c.List(ctx, &list, &client.ListOptions{}); err != nil {
		untold(fmt.Errorf("listing EcsEnvironments: %w", err))
		return ""
	}
	for i := range list.Items {
		e := &list.Items[i]
		if slices.Contains(e.Status.Namespaces, release.Namespace) && !meta.IsStatusConditionFalse(e.Status.Conditions, ecsv1alpha1.ConditionReady) {
			if e.Spec.Images == nil {
				return ""
			}
			return e.Spec.Images.RegistryAccountID
		}
	}
	untold(errors.New("no EcsEnvironment that is Ready has namespace " + release.Namespace))
	return ""
}
