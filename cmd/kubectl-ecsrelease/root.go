package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"heliumai.space/ecsrelease/internal/screen"
)

// plugin is what all commands share.
type plugin struct {
	kube     *genericclioptions.ConfigFlags
	out      *output
	problems io.Writer
}

// newRoot is the command with all that are below it.
func newRoot(out *output, problems io.Writer) *cobra.Command {
	p := &plugin{kube: genericclioptions.NewConfigFlags(true), out: out, problems: problems}
	root := &cobra.Command{
		Use:   "kubectl-ecsrelease",
		Short: "Show, wait for and order about releases to Amazon ECS",
		Long: `Show, wait for and order about EcsReleases: releases of container images to Amazon ECS.

What a command ends with: 0 as wanted, 1 it failed, was refused or differs, 2 the time was up,
3 it waits for a person, 4 it was used wrongly or the API could not be asked.`,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl ecsrelease"},
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(out)
	root.SetErr(problems)
	p.kube.CacheDir = nil // nothing is cached
	p.kube.AddFlags(root.PersistentFlags())
	root.AddGroup(
		&cobra.Group{ID: groupLook, Title: "To look:"},
		&cobra.Group{ID: groupOrder, Title: "To order about:"},
	)
	root.AddCommand(
		p.statusCommand(), p.waitCommand(), p.historyCommand(), p.diffCommand(), p.environmentsCommand(), p.pathCommand(),
		p.approveCommand(), p.holdCommand(), p.suspendCommand(), p.resumeCommand(),
		p.versionCommand(),
	)
	for _, o := range orders {
		root.AddCommand(p.orderCommand(o))
	}
	return root
}

// The groups that help lists commands in.
const (
	groupLook  = "look"
	groupOrder = "order"
)

// one wants exactly one argument, the name of what a command is about.
func one(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("name one %s: kubectl ecsrelease COMMAND NAME", what)
		}
		return nil
	}
}

// say prints lines.
func (p *plugin) say(lines ...string) {
	for _, line := range lines {
		fmt.Fprintln(p.out, line)
	}
}

// terminal is the terminal that output goes to; false where it goes elsewhere, or to one that obeys
// nothing.
func (p *plugin) terminal() (screen.Terminal, bool) {
	t := screen.Terminal{Flags: p.flags()}
	file, ok := p.out.Writer.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" {
		return t, false
	}
	t.Color = os.Getenv("NO_COLOR") == ""
	if width, height, err := term.GetSize(int(file.Fd())); err == nil {
		t.Width, t.Height = width, height
	}
	return t, true
}

// timeoutFlag gives a command a time after which it ends.
func timeoutFlag(cmd *cobra.Command, timeout *time.Duration, usual time.Duration, usage string) {
	cmd.Flags().DurationVar(timeout, "timeout", usual, usage)
}
