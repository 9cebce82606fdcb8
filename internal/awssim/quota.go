package awssim

import (
	"math"
	"time"
)

// quotas are the token buckets of each account and region, as "Request throttling for the
// Amazon ECS API" publishes them. ECR does not publish the rates of its describing
// operations; "ecr-read" is a guess on the careful side. STS shares one rate per account and
// region. "elb-read" is the bucket of non-mutating actions in "Request throttling for the
// Elastic Load Balancing API"; its other buckets are not published. CloudWatch's are those of
// "CloudWatch service quotas". Route 53 allows an account five requests a second, whatever they
// are ("Amazon Route 53 quotas"). ACM's are those of "API rate quotas".
var quotas = map[string]struct{ burst, rate float64 }{
	"service-read":           {100, 20},
	"service-modify":         {50, 5},
	"service-deployment":     {50, 20},
	"service-revision":       {50, 20},
	"task-definition-read":   {50, 20},
	"task-definition-modify": {20, 1},
	"cluster-resource-read":  {100, 20},
	"cluster-read":           {50, 20},
	"cluster-modify":         {20, 1},
	"tag-modify":             {20, 10},
	"tag-read":               {50, 20},
	"ecr-read":               {100, 20},
	"sts":                    {600, 600},
	"elb-read":               {40, 10},
	"alarm-read":             {9, 9},
	"alarm-put":              {3, 3},
	"alarm-delete":           {3, 3},
	"alarm-set":              {3, 3},
	"route53":                {5, 5},
	"acm-request":            {5, 5},
	"acm-describe":           {10, 10},
	"acm-list":               {8, 8},
	"acm-delete":             {10, 10},
}

// bucket is one token bucket of one account and region.
type bucket struct {
	tokens float64
	filled time.Time
}

// take draws a token for an operation, and tells whether there was one. The bucket refills
// at the speed of the world.
func (r *region) take(w *world, name string) bool {
	quota, limited := quotas[name]
	if !limited {
		return true
	}
	now := w.now()
	b := r.buckets[name]
	if b == nil {
		b = &bucket{tokens: quota.burst, filled: now}
		r.buckets[name] = b
	}
	rate := quota.rate
	if w.speed > 0 {
		rate *= w.speed
	}
	b.tokens = math.Min(quota.burst, b.tokens+now.Sub(b.filled).Seconds()*rate)
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// SetQuotas switches the request quotas on or off. Either way every bucket is full again, so
// that what a test seeded before costs it nothing.
func (s *Simulator) SetQuotas(enabled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quotas = enabled
	for _, a := range s.accounts {
		for _, r := range a.regions {
			clear(r.buckets)
		}
	}
}
