// Command lab brings up the whole world on this machine: a kube-apiserver (bin/kubebox), a local
// AWS (bin/awssim) with the clusters, services and images of config/samples, and the controller
// (bin/manager). As a demo it then releases v2, which works, v20, which is not for production, v3,
// which crashes in the first wave of production, and v4, while a table follows; it checks what runs
// in AWS and what AWS's journal says of each, and ends. As a lab it stays up. To furnish, it makes the
// clusters, services and images in a local AWS that runs already, and ends: what is brought up around
// that is for whoever follows docs/getting-started.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"heliumai.space/ecsrelease/internal/lab"
)

// The modes of the program.
const (
	modeDemo    = "demo"
	modeLab     = "lab"
	modeFurnish = "furnish"
)

func main() {
	mode := flag.String("mode", modeLab, "demo: tell the story and end; lab: stay up; furnish: make what the others release to in the AWS that AWS_ENDPOINT_URL names, and end")
	bin := flag.String("bin", "bin", "where kubebox, awssim and manager are")
	speed := flag.Float64("speed", 10, "how many times as fast as in AWS deployments pass")
	timeout := flag.Duration("timeout", 8*time.Minute, "how long the demo may take")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, *mode, *bin, *speed, *timeout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, mode, bin string, speed float64, timeout time.Duration) (err error) {
	if mode == modeFurnish {
		return furnish(ctx, os.Getenv("AWS_ENDPOINT_URL"))
	}
	if mode != modeDemo && mode != modeLab {
		return fmt.Errorf("--mode is %q: it must be %s, %s or %s", mode, modeDemo, modeLab, modeFurnish)
	}
	began := time.Now()
	world, err := newWorld(bin, speed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Close()) }()

	starting := ctx
	if mode == modeDemo {
		var cancel context.CancelFunc
		starting, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	if err := world.start(starting); err != nil {
		return err
	}
	if mode == modeLab {
		if err := world.stock(ctx); err != nil {
			return err
		}
		return stay(ctx, world)
	}
	if err := tell(starting, world); err != nil {
		return err
	}
	say("the whole story took %s", time.Since(began).Round(time.Second))
	return nil
}

// stay prints how to use the world and keeps it until the context ends.
func stay(ctx context.Context, world *world) error {
	fmt.Printf(`
The lab is up. In another terminal:

  unset AWS_PROFILE AWS_SESSION_TOKEN
  export KUBECONFIG=%s
  export AWS_ENDPOINT_URL=%s AWS_REGION=ap-south-1 AWS_DEFAULT_REGION=ap-south-1
  export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s
  kubectl() { %s kubectl "$@"; }        # unless you have one

  kubectl get ecsreleases -A
  aws ecs describe-services --cluster helium-mumbai-staging-cluster --services backend worker
  curl -s $AWS_ENDPOINT_URL/_sim/       # what can be done to this AWS
%s
In ECR there are helium-backend:v1, v2 and v4, which work, and v3, whose containers exit with 3 when
they are run, all built from the branch migrated-demo2; and v5, built from kartik-stg, which production
refuses. There is no v6.

The log of the controller is %s. Ctrl-C ends it all.
`, world.Kubeconfig, world.account.AWS.Endpoint, lab.AccountID, lab.RootSecret, world.Path("kubebox"), lines, world.manager.Log)
	defer say("the lab has ended")
	return world.Wait(ctx)
}

// lines are what a visitor may want to try, in an order that works.
const lines = `
To try in bash or zsh, one after the other, each when the one before has ended (in a third terminal,
kubectl -n staging get ecsreleases -w shows it):

  image() { kubectl -n staging patch ecsr helium-backend --type=merge -p '{"spec":{"image":"helium-backend:'$1'"}}'; }
  order() { kubectl -n staging annotate ecsr helium-backend --overwrite "ecs.heliumai.space/$1"; }
  show()  { kubectl -n staging get ecsr helium-backend -o jsonpath="{.status.$1}"; echo; }

  image v2                                      # works
  image v3                                      # crashes, and is rolled back to v2
  show failure
  curl -X DELETE $AWS_ENDPOINT_URL/_sim/images  # what v3 crashed of is mended,
  order retry=$(date +%s)                       # so the same image is tried once more

  kubectl -n staging patch ecsr helium-backend --type=merge -p '{"spec":{"strategy":{"approval":"EveryWave"}}}'
  image v4                                      # somebody has to approve it now
  order approve=$(show 'awaiting[0].id')
  order abort=$(date +%s)                       # while it is deployed: it fails, and is rolled back
  order retry=$(date +%s)

  order hold=$(date +%s)/previous               # back to the release before, whatever the spec says
  order release-hold=$(date +%s)                # and on to what the spec says: a release of its own,
  order approve=$(show 'awaiting[0].id')        # to be approved like any other

  kubectl get ecsenv                            # who may deploy what where; what of it runs:
  kubectl get ecsenv staging -o jsonpath='{range .status.proven[*]}{@}{"\n"}{end}'
  kubectl -n production patch ecsr helium-backend --type=merge -p '{"spec":{"image":"helium-backend:v2"}}'
                                                # production takes what has run in staging
  kubectl -n production get ecsr helium-backend -o jsonpath='{range .status.waves[*]}{@}{"\n"}{end}'
`

// say prints a line of the story.
func say(format string, args ...any) {
	fmt.Printf("\n== "+format+"\n", args...)
}
