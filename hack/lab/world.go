package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"heliumai.space/ecsrelease/internal/lab"
)

// world is a control plane, an AWS and a controller, each a process on this machine.
type world struct {
	*lab.Machine
	speed   float64
	account lab.Account
	manager *lab.Process
	// digests are the tags that were pushed to it, by digest.
	digests map[string]string
}

func newWorld(bin string, speed float64) (*world, error) {
	account, err := newAccount()
	if err != nil {
		return nil, err
	}
	machine, err := lab.NewMachine(bin)
	if err != nil {
		return nil, err
	}
	return &world{Machine: machine, speed: speed, digests: map[string]string{}, account: account}, nil
}

// newAccount is the account of config/samples, in an AWS that is still to be named.
func newAccount() (lab.Account, error) {
	policy, err := os.ReadFile("config/iam/policy.json")
	if err != nil {
		return lab.Account{}, fmt.Errorf("reading the policy (run this from the repository's root): %w", err)
	}
	return lab.SampleAccount(policy), nil
}

// start brings everything up, in the order in which it depends on each other.
func (w *world) start(ctx context.Context) (err error) {
	say("starting a control plane and a local AWS, in which time passes %g times as\n   fast (logs are in %s)", w.speed, w.Dir)
	if err := w.StartControlPlane(ctx); err != nil {
		return err
	}
	if w.account.AWS, err = w.StartAWS(ctx, "awssim", "--speed", fmt.Sprint(w.speed)); err != nil {
		return err
	}
	say("in AWS: two services in each of four clusters in three regions, all on\n   helium-backend:v1")
	if err := w.account.Furnish(ctx); err != nil {
		return err
	}
	if err := w.account.Settle(ctx); err != nil {
		return err
	}
	say("installing the CRDs and starting the controller, which looks every second\n   instead of every five")
	if err := w.InstallCRDs(ctx); err != nil {
		return err
	}
	if w.manager, err = w.StartManager(&w.account, "lab"); err != nil {
		return err
	}
	say("kubectl apply -k %s: the environments and releases of config/samples,\n"+
		"   in which seconds stand for hours", overlay)
	return w.Kubectl(ctx, "apply", "-k", overlay)
}

// overlay is config/samples as the demo applies it.
const overlay = "hack/lab/overlay"

// stock pushes what a visitor may want to release: good images, and one that crashes.
func (w *world) stock(ctx context.Context) error {
	for _, tag := range []string{"v2", "v3", "v4"} {
		if err := w.push(ctx, lab.Branch, tag); err != nil {
			return err
		}
	}
	if err := w.push(ctx, lab.StagingBranch, "v5"); err != nil {
		return err
	}
	return w.crashing(ctx, "v3", "", "")
}

// push pushes an image that was built from a branch, as CI would. It is replicated from there.
func (w *world) push(ctx context.Context, branch, tag string) error {
	digest, err := w.account.PushFrom(ctx, branch, tag)
	if err == nil {
		w.digests[digest] = tag
	}
	return err
}

// crashing makes the containers of an image that was pushed exit with 3, in services of a
// cluster; "" stands for all.
func (w *world) crashing(ctx context.Context, tag, cluster, service string) error {
	images := []string{"*:" + tag}
	for digest, pushed := range w.digests {
		if pushed == tag {
			images = append(images, "*"+digest)
		}
	}
	for _, image := range images {
		behavior := map[string]any{
			"image": image, "cluster": cluster, "service": service, "kind": "Crash", "exitCode": crashCode, "afterSeconds": 3,
		}
		if err := w.account.AWS.Admin(ctx, http.MethodPut, "images", behavior, nil); err != nil {
			return err
		}
	}
	return nil
}

// crashCode is what containers that crash exit with.
const crashCode = 3
