package awssim

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestTheJournalKnowsEveryCallAndWhatItWasAllowed(t *testing.T) {
	s := New(Options{})
	role := mustPutRole(t, s, Role{
		Account: ownAccount, Name: "EcsRelease",
		TrustPolicy: statements(trusting(`"*"`, `"*"`)),
		Policies:    policies(`{"Effect": "Allow", "Action": "ecs:CreateCluster", "Resource": "*"}`),
	})
	out, err := assume(userConfig(t, s, User{Account: ownAccount, Name: "ci", Unrestricted: true}), role.ARN)
	if err != nil {
		t.Fatal(err)
	}
	s.ResetJournal()
	cfg := sessionConfig(t, s, out.Credentials)
	if err := createClusterAs(t.Context(), cfg, "demo"); err != nil {
		t.Fatal(err)
	}
	_ = listClustersAs(t, cfg)
	_ = listClustersAs(t, sdkConfig(t, s, mumbai, "AKIAAAAAAAAAAAAAAAAA", "x", ""))

	const session = "arn:aws:sts::111122223333:assumed-role/EcsRelease/test"
	want := []JournalEntry{
		{
			Sequence: 3, Principal: session, Account: ownAccount, Region: mumbai, Service: "ecs", Operation: "CreateCluster",
			Request: []byte(`{"clusterName":"demo"}`), RequestBytes: 22, Status: 200, Executed: true,
			Actions: []AuthorizedAction{{"ecs:CreateCluster", "arn:aws:ecs:ap-south-1:111122223333:cluster/demo", true}},
		},
		{
			Sequence: 4, Principal: session, Account: ownAccount, Region: mumbai, Service: "ecs", Operation: "ListClusters",
			Request: []byte(`{}`), RequestBytes: 2, Status: 400, Code: "AccessDeniedException", Executed: true,
			Actions: []AuthorizedAction{{"ecs:ListClusters", "*", false}},
		},
		{Sequence: 5, Service: "ecs", Operation: "ListClusters", RequestBytes: 2, Status: 400, Code: "UnrecognizedClientException"},
	}
	got := s.Journal(JournalFilter{})
	for i := range want {
		want[i].Sequence = got[0].Sequence + uint64(i)
	}
	ignored := cmpopts.IgnoreFields(JournalEntry{}, "Time", "RequestID", "counted")
	if diff := cmp.Diff(want, got, ignored); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
	wantSummary := JournalSummary{
		Calls: []CallCount{
			{Service: "ecs", Operation: "ListClusters", Calls: 1, Failed: 1},
			{Account: ownAccount, Principal: "EcsRelease", Region: mumbai, Service: "ecs", Operation: "CreateCluster", Calls: 1, Succeeded: 1},
			{Account: ownAccount, Principal: "EcsRelease", Region: mumbai, Service: "ecs", Operation: "ListClusters", Calls: 1, Failed: 1},
		},
		Actions: []ActionCount{
			{Account: ownAccount, Principal: "EcsRelease", Action: "ecs:CreateCluster", Allowed: 1},
			{Account: ownAccount, Principal: "EcsRelease", Action: "ecs:ListClusters", Denied: 1},
		},
	}
	if diff := cmp.Diff(wantSummary, s.Summary()); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func TestTheJournalIsFiltered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		cfg := rootConfig(t, s)
		elsewhere := sdkConfig(t, s, singapore, otherAccount, rootSecret, "")
		_ = listClustersAs(t, cfg)
		time.Sleep(time.Minute)
		middle := time.Now()
		_ = listClustersAs(t, elsewhere)
		_ = createClusterAs(t.Context(), cfg, "demo")
		for _, c := range []struct {
			filter JournalFilter
			want   int
		}{
			{JournalFilter{}, 3},
			{JournalFilter{Operation: "ListClusters"}, 2},
			{JournalFilter{Operation: "Create*"}, 1},
			{JournalFilter{Service: "ecr"}, 0},
			{JournalFilter{Account: otherAccount}, 1},
			{JournalFilter{Principal: "arn:aws:iam::111122223333:*"}, 2},
			{JournalFilter{Since: middle}, 2},
			{JournalFilter{After: 2}, 1},
			{JournalFilter{Operation: "ListClusters", Since: middle}, 1},
		} {
			if got := s.Journal(c.filter); len(got) != c.want {
				t.Errorf("%+v selects %d calls, want %d", c.filter, len(got), c.want)
			}
		}
	})
}

func TestTheJournalIsBoundedAndItsCountsAreNot(t *testing.T) {
	s := New(Options{JournalEntries: 10})
	cfg := rootConfig(t, s)
	for range 25 {
		_ = listClustersAs(t, cfg)
	}
	entries := s.Journal(JournalFilter{})
	if len(entries) != 10 || entries[0].Sequence != 16 || entries[9].Sequence != 25 {
		t.Errorf("%d entries, %d to %d", len(entries), entries[0].Sequence, entries[len(entries)-1].Sequence)
	}
	if summary := s.Summary(); summary.Dropped != 15 || summary.Calls[0].Calls != 25 {
		t.Errorf("summary %+v", summary)
	}
	s.ResetJournal()
	if summary := s.Summary(); len(summary.Calls) != 0 || summary.Dropped != 0 {
		t.Errorf("after the reset %+v", summary)
	}
}

func TestTheJournalIsBoundedInBytes(t *testing.T) {
	j := newJournal(0)
	for range journalBytes/journalEntryBytes + 100 {
		j.add(&JournalEntry{Request: make([]byte, journalEntryBytes), RequestBytes: journalEntryBytes}, "root")
	}
	j.add(&JournalEntry{Request: make([]byte, journalEntryBytes+1), RequestBytes: journalEntryBytes + 1}, "root")
	if j.bytes > journalBytes || j.dropped == 0 {
		t.Errorf("%d bytes, %d dropped", j.bytes, j.dropped)
	}
	if last := j.entries[len(j.entries)-1]; last.Request != nil || last.RequestBytes != journalEntryBytes+1 {
		t.Error("a request longer than the limit is kept")
	}
}

func TestASimulatorOfOneSeedRepeatsItself(t *testing.T) {
	names := func() string {
		s := New(Options{Seed: 42})
		user, err := s.PutUser(User{Account: ownAccount, Name: "ci"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = ecs.NewFromConfig(rootConfig(t, s)).ListClusters(t.Context(), &ecs.ListClustersInput{MaxResults: aws.Int32(10)})
		if err != nil {
			t.Fatal(err)
		}
		return user.AccessKeyID + user.SecretAccessKey + s.Journal(JournalFilter{})[0].RequestID
	}
	if first, second := names(), names(); first != second {
		t.Errorf("%s, then %s", first, second)
	}
}
