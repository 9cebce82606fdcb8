package main

import (
	"strconv"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/screen"
)

// completeReleases completes the name of a release.
func (p *plugin) completeReleases(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return releases.complete(cmd, p, args)
}

// completeEndpoints completes the name of an endpoint.
func (p *plugin) completeEndpoints(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return endpoints.complete(cmd, p, args)
}

// complete completes the name of an object, each with how it is.
func (k kind[T]) complete(cmd *cobra.Command, p *plugin, args []string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	c, err := p.connect()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	list := k.list()
	if err := c.List(cmd.Context(), list, client.InNamespace(c.namespace)); err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	err = meta.EachListItem(list, func(item runtime.Object) error {
		if object, ok := item.(T); ok {
			names = append(names, cobra.CompletionWithDesc(object.GetName(), k.headline(object)))
		}
		return nil
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeAwaiting completes the ids of what waits, behind the name of a release.
func (p *plugin) completeAwaiting(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return p.completeReleases(cmd, args, toComplete)
	}
	return p.completeOf(cmd, args[0], func(release *ecsv1alpha1.EcsRelease) []string {
		var ids []string
		for _, a := range release.Status.Awaiting {
			ids = append(ids, a.ID)
		}
		return ids
	})
}

// completeHistory completes the releases that can be gone back to, behind the name of a release.
func (p *plugin) completeHistory(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return p.completeReleases(cmd, args, toComplete)
	}
	return p.completeOf(cmd, args[0], func(release *ecsv1alpha1.EcsRelease) []string {
		numbers := []string{previous}
		for _, entry := range release.Status.History {
			if rollout.CameToAGoodEnd(entry) {
				numbers = append(numbers, cobra.CompletionWithDesc(strconv.FormatInt(entry.Number, 10), screen.Images(entry.Images)))
			}
		}
		return numbers
	})
}

// completeOf completes something of a release.
func (p *plugin) completeOf(cmd *cobra.Command, name string, of func(*ecsv1alpha1.EcsRelease) []string) ([]string, cobra.ShellCompDirective) {
	c, err := p.connect()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	release, err := releases.get(cmd.Context(), c, name)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return of(release), cobra.ShellCompDirectiveNoFileComp
}
