package awssim

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// takes counts how many calls in a row are not throttled, up to most.
func takes(t *testing.T, s *Simulator, cfg aws.Config, most int) int {
	t.Helper()
	client := ecs.NewFromConfig(cfg)
	for n := range most {
		if _, err := client.DescribeClusters(t.Context(), &ecs.DescribeClustersInput{}); err != nil {
			wantCode(t, err, "ThrottlingException", "Rate exceeded")
			return n
		}
	}
	return most
}

func TestABucketEmptiesAndRefills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Quotas: true})
		mumbaiRoot := rootConfig(t, s)
		if got := takes(t, s, mumbaiRoot, 60); got != 50 {
			t.Errorf("a full bucket of 50 gave %d", got)
		}
		time.Sleep(time.Second)
		if got := takes(t, s, mumbaiRoot, 60); got != 20 {
			t.Errorf("a second at 20/s gave %d", got)
		}
		time.Sleep(time.Hour)
		if got := takes(t, s, mumbaiRoot, 60); got != 50 {
			t.Errorf("an hour gave %d, more or less than the bucket holds", got)
		}
		elsewhere := mumbaiRoot
		elsewhere.Region = singapore
		if got := takes(t, s, elsewhere, 5); got != 5 {
			t.Error("another region shares the bucket")
		}
		if got := takes(t, s, sdkConfig(t, s, mumbai, otherAccount, rootSecret, ""), 5); got != 5 {
			t.Error("another account shares the bucket")
		}
		if err := listClustersAs(t, mumbaiRoot); err == nil {
			t.Error("another operation of the same bucket is not throttled")
		}
		if _, err := ecs.NewFromConfig(mumbaiRoot).ListTaskDefinitions(t.Context(), nil); err != nil {
			t.Errorf("another bucket: %v", err)
		}
	})
}

func TestWhoWatchesDrawsOnNoQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Quotas: true})
		cfg := rootConfig(t, s)
		watching := cfg.Copy()
		watching.HTTPClient = s.UnmeteredHTTPClient()
		if got := takes(t, s, watching, 60); got != 60 {
			t.Errorf("who watches is throttled after %d", got)
		}
		if got := takes(t, s, cfg, 60); got != 50 {
			t.Errorf("beside who watches a full bucket of 50 gave %d", got)
		}
	})
}

func TestARefillIsAsFastAsTheWorld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Quotas: true, Speed: 2})
		cfg := rootConfig(t, s)
		takes(t, s, cfg, 60)
		time.Sleep(time.Second)
		if got := takes(t, s, cfg, 60); got != 40 {
			t.Errorf("a second at twice 20/s gave %d", got)
		}
	})
}

func TestQuotasAreSwitchedOnAfterSeeding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		cfg := rootConfig(t, s)
		if got := takes(t, s, cfg, 200); got != 200 {
			t.Errorf("throttled after %d without quotas", got)
		}
		s.SetQuotas(true)
		if got := takes(t, s, cfg, 60); got != 50 {
			t.Errorf("a full bucket of 50 gave %d", got)
		}
		s.SetQuotas(true)
		if got := takes(t, s, cfg, 60); got != 50 {
			t.Errorf("a bucket filled again gave %d", got)
		}
		s.SetQuotas(false)
		if got := takes(t, s, cfg, 60); got != 60 {
			t.Errorf("throttled after %d without quotas", got)
		}
	})
}

func TestEveryBucketThatAnOperationNamesExists(t *testing.T) {
	for service, table := range New(Options{}).tables {
		for name, op := range table {
			if _, found := quotas[op.bucket]; op.bucket != "" && !found {
				t.Errorf("%s:%s draws from %q, which does not exist", service, name, op.bucket)
			}
		}
	}
}
