package main

import (
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// parsed are the options that a command line makes, before they are completed.
func parsed(t *testing.T, args ...string) options {
	t.Helper()
	o := defaults()
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	o.bind(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatalf("parsing %q: %v", args, err)
	}
	return o
}

func TestWithoutFlagsTheManagerIsSetUpForACluster(t *testing.T) {
	o := parsed(t)
	if err := o.complete(); err != nil {
		t.Fatalf("the defaults are refused: %v", err)
	}
	want := options{
		metricsAddress: ":8443", metricsSecure: true, healthAddress: ":8081", profilesAddress: "0", shutdownTimeout: 30 * time.Second,
		leaderElect: true, leaderID: "ecsrelease.ecs.heliumai.space",
		leaseDuration: 15 * time.Second, renewDeadline: 10 * time.Second, retryPeriod: time.Second,
		quotaShare: 0.5, callTimeout: 5 * time.Second,
		inFlightInterval: 5 * time.Second, sweepInterval: 5 * time.Minute, workers: 20,
	}
	if diff := cmp.Diff(want, o, cmp.AllowUnexported(options{})); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
	if filter := o.metrics().FilterProvider; filter == nil || !o.metrics().SecureServing {
		t.Errorf("metrics are served to anybody: secure %v, filtered %v", o.metrics().SecureServing, filter != nil)
	}
}

func TestEveryOptionHasAFlag(t *testing.T) {
	o := parsed(t,
		"--metrics-bind-address=127.0.0.1:1", "--metrics-secure=false", "--health-probe-bind-address=127.0.0.1:2", "--pprof-bind-address=127.0.0.1:3",
		"--graceful-shutdown-timeout=1m", "--leader-elect=false", "--leader-election-namespace=home",
		"--leader-election-id=lease", "--lease-duration=30s", "--renew-deadline=20s", "--retry-period=3s",
		"--environment-selector=team in (a, b),!legacy", "--cluster-name=blue", "--quota-share=0.25", "--aws-call-timeout=4s", "--in-flight-interval=6s",
		"--sweep-interval=7m", "--workers=8", "--verification-allow-cidrs=10.1.0.0/16,fd00::/8",
		"--verification-deny-cidrs=52.0.0.0/8", "--verification-ca-file="+authority(t))
	if err := o.complete(); err != nil {
		t.Fatal(err)
	}
	want := options{
		metricsAddress: "127.0.0.1:1", healthAddress: "127.0.0.1:2", profilesAddress: "127.0.0.1:3", shutdownTimeout: time.Minute,
		leaderNamespace: "home", leaderID: "lease",
		leaseDuration: 30 * time.Second, renewDeadline: 20 * time.Second, retryPeriod: 3 * time.Second,
		environmentSelector: "team in (a, b),!legacy", clusterName: "blue", quotaShare: 0.25, callTimeout: 4 * time.Second,
		inFlightInterval: 6 * time.Second, sweepInterval: 7 * time.Minute, workers: 8,
		verificationAllow: "10.1.0.0/16,fd00::/8", verificationDeny: "52.0.0.0/8", verificationCAFile: o.verificationCAFile,
	}
	if diff := cmp.Diff(want, o, cmp.AllowUnexported(options{})); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
	if o.metrics().FilterProvider != nil {
		t.Error("metrics by plain HTTP ask for tokens, which nobody would send in the clear")
	}
}

func TestACallTimesOutWithinAThirdOfTheLease(t *testing.T) {
	o := parsed(t, "--lease-duration=2s", "--renew-deadline=1s", "--retry-period=250ms")
	if err := o.complete(); err != nil {
		t.Fatal(err)
	}
	if want := 2 * time.Second / 3; o.callTimeout != want {
		t.Errorf("the call timeout is %s, want %s", o.callTimeout, want)
	}
	if want := 200 * time.Millisecond; o.margin() != want {
		t.Errorf("the margin is %s, want %s", o.margin(), want)
	}
}

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		args string
		want []string // flags that the message names
	}{
		"no share of the quota":                     {"--quota-share=0", []string{"--quota-share is 0"}},
		"more than the whole quota":                 {"--quota-share=1.5", []string{"--quota-share is 1.5"}},
		"a share that is not a number":              {"--quota-share=NaN", []string{"--quota-share is NaN"}},
		"a call that may take no time":              {"--aws-call-timeout=-1s", []string{"--aws-call-timeout is -1s"}},
		"a call that outlasts the lease":            {"--aws-call-timeout=15s", []string{"--aws-call-timeout is 15s", "--lease-duration 15s"}},
		"a call that the margin of the lease cuts":  {"--aws-call-timeout=12500ms", []string{"--aws-call-timeout is 12.5s"}},
		"renewing for longer than the lease":        {"--renew-deadline=15s", []string{"--renew-deadline is 15s", "--lease-duration 15s"}},
		"less time to renew than between two tries": {"--renew-deadline=1s", []string{"--renew-deadline is 1s", "--retry-period 1s"}},
		"a drain that is shorter than a call":       {"--graceful-shutdown-timeout=4s", []string{"--graceful-shutdown-timeout is 4s", "--aws-call-timeout 5s"}},
		"never looking at what is in flight":        {"--in-flight-interval=0s", []string{"--in-flight-interval is 0s"}},
		"looking less often at what is in flight":   {"--in-flight-interval=6m", []string{"--sweep-interval is 5m0s", "--in-flight-interval 6m0s"}},
		"a range that is none":                      {"--verification-allow-cidrs=10.0.0.0/8,10.1", []string{`--verification-allow-cidrs has "10.1"`}},
		"a refused range that is none":              {"--verification-deny-cidrs=all", []string{`--verification-deny-cidrs has "all"`}},
		"authorities in no file":                    {"--verification-ca-file=/nowhere/ca.pem", []string{"--verification-ca-file", "/nowhere/ca.pem"}},
		"no authority in the file":                  {"--verification-ca-file=options_test.go", []string{"--verification-ca-file is options_test.go", "no certificate"}},
		"a selector that is none":                   {"--environment-selector=team=a,=b --leader-election-id=a", []string{`--environment-selector is "team=a,=b"`}},
		"two managers with one lease":               {"--environment-selector=team=a", []string{`--environment-selector is "team=a"`, "--leader-election-id"}},
		"nobody to work":                            {"--workers=0", []string{"--workers is 0"}},
		"two mistakes, both named":                  {"--workers=-1 --quota-share=2", []string{"--workers is -1", "--quota-share is 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := parsed(t, strings.Fields(test.args)...)
			err := o.complete()
			if err == nil {
				t.Fatalf("%s is accepted", test.args)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error does not say %q: %v", part, err)
				}
			}
		})
	}
}

func TestWithoutAnElectionTheLeaseSetsNoBounds(t *testing.T) {
	o := parsed(t, "--leader-elect=false", "--aws-call-timeout=20s")
	if err := o.complete(); err != nil {
		t.Errorf("refused although there is no lease that a call could outlast: %v", err)
	}
	ownership, err := o.ownership()
	if err != nil {
		t.Fatal(err)
	}
	if err := ownership.Gate("production", time.Hour); err != nil {
		t.Errorf("without an election the write gate is shut: %v", err)
	}
}

func TestTheNamespaceOfTheLeaseIsTheOneThatIsAskedFor(t *testing.T) {
	if got := leaseNamespace(options{leaderNamespace: "home"}); got != "home" {
		t.Errorf("the lease is in %q, want home", got)
	}
}

// authority is a file with a certificate in it.
func authority(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestChecksDialWhatTheFlagsAllow(t *testing.T) {
	o := parsed(t, "--verification-allow-cidrs= 10.1.2.3/16 , fd00::/8", "--verification-deny-cidrs=52.0.0.0/8", "--verification-ca-file="+authority(t))
	prober, err := o.prober()
	if err != nil {
		t.Fatal(err)
	}
	spelled := fmt.Sprint(prober.Allow, prober.Deny)
	if want := "[10.1.0.0/16 fd00::/8] [52.0.0.0/8]"; spelled != want {
		t.Errorf("allowed and refused are %s, want %s", spelled, want)
	}
	if prober.Roots == nil {
		t.Error("the authority is not trusted")
	}
	without := parsed(t)
	if prober, err = without.prober(); err != nil || prober.Allow != nil || prober.Deny != nil || prober.Roots != nil {
		t.Errorf("without flags the prober is %+v, %v: want one that dials public addresses only", prober, err)
	}
}
