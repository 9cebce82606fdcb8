package awssim

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

func mustAddFault(t *testing.T, s *Simulator, f Fault) string {
	t.Helper()
	id, err := s.AddFault(f)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func createClusterAs(ctx context.Context, cfg aws.Config, name string) error {
	_, err := ecs.NewFromConfig(cfg).CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: &name})
	return err
}

func clusterExists(t *testing.T, s *Simulator, name string) bool {
	t.Helper()
	out, err := ecs.NewFromConfig(rootConfig(t, s)).DescribeClusters(t.Context(), &ecs.DescribeClustersInput{Clusters: []string{name}})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Clusters) == 1
}

func TestAFaultHitsWhatItMatches(t *testing.T) {
	s := New(Options{})
	cfg := rootConfig(t, s)
	for _, c := range []struct {
		name  string
		fault Fault
		hit   bool
	}{
		{"everything", Fault{}, true},
		{"the operation", Fault{Operation: "CreateCluster"}, true},
		{"operations by pattern", Fault{Operation: "Create*"}, true},
		{"another operation", Fault{Operation: "DeleteCluster"}, false},
		{"the service", Fault{Service: "ecs"}, true},
		{"another service", Fault{Service: "ecr"}, false},
		{"the account", Fault{Account: ownAccount}, true},
		{"another account", Fault{Account: otherAccount}, false},
		{"the region", Fault{Region: mumbai}, true},
		{"another region", Fault{Region: singapore}, false},
		{"the principal", Fault{Principal: "arn:aws:iam::*:root"}, true},
		{"another principal", Fault{Principal: "arn:aws:sts::*:assumed-role/controller/*"}, false},
		{"the body", Fault{Body: `"demo"`}, true},
		{"another body", Fault{Body: `"other"`}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.ClearFaults()
			c.fault.Error = &FaultError{Status: 500, Code: "ServerException", Message: "out of order"}
			mustAddFault(t, s, c.fault)
			err := createClusterAs(t.Context(), cfg, "demo")
			if c.hit {
				wantCode(t, err, "ServerException", "out of order")
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAFaultSkipsStrikesAndIsSpent(t *testing.T) {
	s := New(Options{})
	cfg := rootConfig(t, s)
	id := mustAddFault(t, s, Fault{Operation: "ListClusters", Skip: 2, Times: 3, Throttle: true})
	var got []bool
	for range 7 {
		err := listClustersAs(t, cfg)
		got = append(got, err != nil)
		if err != nil {
			wantCode(t, err, "ThrottlingException", "Rate exceeded")
		}
	}
	for i, want := range []bool{false, false, true, true, true, false, false} {
		if got[i] != want {
			t.Errorf("call %d: failed %v, want %v", i+1, got[i], want)
		}
	}
	if f := s.Faults()[0]; f.ID != id || f.Matched != 7 || f.Struck != 3 {
		t.Errorf("the fault says %+v", f)
	}
	if !s.RemoveFault(id) || s.RemoveFault(id) {
		t.Error("a fault is removed once")
	}
}

func TestTheSameSeedStrikesTheSameCalls(t *testing.T) {
	strikes := func() (pattern string) {
		s := New(Options{})
		mustAddFault(t, s, Fault{Probability: 0.5, Seed: 7, Throttle: true})
		for range 40 {
			if listClustersAs(t, rootConfig(t, s)) != nil {
				pattern += "x"
			} else {
				pattern += "."
			}
		}
		return pattern
	}
	first := strikes()
	if second := strikes(); first != second {
		t.Errorf("%s, then %s", first, second)
	}
	if n := strings.Count(first, "x"); n < 10 || n > 30 {
		t.Errorf("half of 40 is %d", n)
	}
}

func TestALostResponseWasExecutedAndALostRequestWasNot(t *testing.T) {
	s := New(Options{})
	server := httptest.NewServer(s)
	defer server.Close()
	network := rootConfig(t, s)
	network.BaseEndpoint, network.HTTPClient = aws.String(server.URL), server.Client()
	for _, c := range []struct {
		name     string
		cfg      aws.Config
		want     error
		executed bool
	}{
		{"in-process-response", rootConfig(t, s), syscall.ECONNRESET, true},
		{"in-process-request", rootConfig(t, s), syscall.ECONNRESET, false},
		{"network-response", network, io.EOF, true},
		{"network-request", network, io.EOF, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.ResetJournal()
			id := mustAddFault(t, s, Fault{Operation: "CreateCluster", Times: 1, Drop: true, Executed: c.executed})
			if err := createClusterAs(t.Context(), c.cfg, c.name); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if got := clusterExists(t, s, c.name); got != c.executed {
				t.Errorf("the cluster exists: %v", got)
			}
			entry := s.Journal(JournalFilter{Operation: "CreateCluster"})[0]
			if !entry.Lost || entry.Executed != c.executed || entry.Fault != id || (entry.Status == 200) != c.executed {
				t.Errorf("the journal says %+v", entry)
			}
		})
	}
}

func TestAnErrorCanComeAfterTheWorkIsDone(t *testing.T) {
	s := New(Options{})
	mustAddFault(t, s, Fault{Operation: "CreateCluster", Executed: true, Error: &FaultError{Status: 500, Code: "ServerException"}})
	wantCode(t, createClusterAs(t.Context(), rootConfig(t, s), "demo"), "ServerException", "")
	if !clusterExists(t, s, "demo") {
		t.Error("the cluster was not created")
	}
	if entry := s.Journal(JournalFilter{Operation: "CreateCluster"})[0]; entry.Status != 200 || !entry.Lost {
		t.Errorf("the journal says %+v", entry)
	}
}

func TestAHangingCallEndsWithItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		mustAddFault(t, s, Fault{Operation: "CreateCluster", Times: 1, Hang: true})
		mustAddFault(t, s, Fault{Operation: "CreateCluster", Times: 1, Hang: true, Executed: true})
		for _, name := range []string{"never-done", "done"} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			start := time.Now()
			err := createClusterAs(ctx, rootConfig(t, s), name)
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
				t.Errorf("%s: %v after %s", name, err, time.Since(start))
			}
			if got := clusterExists(t, s, name); got != (name == "done") {
				t.Errorf("%s: the cluster exists: %v", name, got)
			}
		}
	})
}

func TestLatencyPassesOnBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{ReadLatency: 50 * time.Millisecond, WriteLatency: 200 * time.Millisecond})
		cfg := rootConfig(t, s)
		took := func(do func()) time.Duration {
			start := time.Now()
			do()
			return time.Since(start)
		}
		if got := took(func() { _ = listClustersAs(t, cfg) }); got != 50*time.Millisecond {
			t.Errorf("a read took %s", got)
		}
		if got := took(func() { _ = createClusterAs(t.Context(), cfg, "demo") }); got != 200*time.Millisecond {
			t.Errorf("a write took %s", got)
		}
		for name, c := range map[string]struct {
			timeout time.Duration
			done    bool
		}{"left-early": {90 * time.Millisecond, false}, "left-late": {110 * time.Millisecond, true}} {
			ctx, cancel := context.WithTimeout(t.Context(), c.timeout)
			if err := createClusterAs(ctx, cfg, name); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", name, err)
			}
			cancel()
			if clusterExists(t, s, name) != c.done {
				t.Errorf("%s: done is not %v", name, c.done)
			}
		}
		for _, entry := range s.Journal(JournalFilter{Operation: "CreateCluster"})[1:] {
			if !entry.Lost {
				t.Errorf("the client had gone from %+v", entry)
			}
		}
		s.SetLatency(Latency{})
		mustAddFault(t, s, Fault{Latency: time.Minute})
		if got := took(func() { _ = listClustersAs(t, cfg) }); got != time.Minute {
			t.Errorf("a slow read took %s", got)
		}
	})
}

func TestFaultsThatMakeNoSenseAreRefused(t *testing.T) {
	s := New(Options{})
	for _, c := range []struct {
		fault Fault
		text  string
	}{
		{Fault{}, "does nothing"},
		{Fault{Drop: true, Hang: true}, "at most one"},
		{Fault{Throttle: true, Executed: true}, "executed goes with"},
		{Fault{Latency: time.Second, Executed: true}, "executed goes with"},
		{Fault{Error: &FaultError{}}, "needs a code"},
		{Fault{Error: &FaultError{Code: "X", Status: 200}}, "400 to 599"},
		{Fault{Drop: true, Probability: 2}, "probability"},
		{Fault{Drop: true, Skip: -1}, "negative"},
	} {
		if _, err := s.AddFault(c.fault); err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%+v: %v, want %q", c.fault, err, c.text)
		}
	}
}

func TestAFaultIsWrittenAsItIsRead(t *testing.T) {
	const document = `{"operation": "List*", "times": 2, "latency": "1m0s", "staleness": "30s", "error": {"status": 503, "code": "ServerException", "message": ""}}`
	var f, again Fault
	if err := json.Unmarshal([]byte(document), &f); err != nil {
		t.Fatal(err)
	}
	if f.Latency != time.Minute || f.Staleness != 30*time.Second || f.Error.Status != 503 || f.Times != 2 {
		t.Errorf("read %+v", f)
	}
	written, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(written, &again); err != nil || again.Latency != f.Latency || again.Operation != f.Operation {
		t.Errorf("wrote %s (%v)", written, err)
	}
}
