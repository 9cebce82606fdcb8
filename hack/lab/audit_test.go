package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"heliumai.space/ecsrelease/internal/lab"
)

// aWorld has the clusters of the samples, with v2 and v3 pushed.
func aWorld() *world {
	return &world{account: lab.Account{Clusters: lab.SampleClusters()}, digests: map[string]string{"sha256:2": "v2", "sha256:3": "v3"}}
}

// crash is the act in which v3 crashes in the first wave, and all services ran revision 2.
func crash(w *world) *act {
	a := &act{tag: "v3", back: []string{firstWave}, before: map[place]string{}}
	a.goes = func(c lab.Cluster) bool { return c.Name == firstWave || strings.Contains(c.Name, staging) }
	for _, c := range w.account.Clusters {
		for _, service := range lab.Services() {
			a.before[place{c.Region, c.Name, service}] = service + ":2"
		}
	}
	return a
}

// call is an entry of the journal, with the members of its request in JSON.
func call(t *testing.T, region, operation, request string, args ...any) entry {
	t.Helper()
	var e entry
	text := fmt.Sprintf(`{"account":"111122223333","region":%q,"operation":%q,"request":%s}`, region, operation, fmt.Sprintf(request, args...))
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// register registers a content with an image in a region.
func register(t *testing.T, region, family, hash, digest string) entry {
	t.Helper()
	return call(t, region, "RegisterTaskDefinition",
		`{"family":%q,"tags":[{"key":"ecs.heliumai.space/hash","value":%q}],"containerDefinitions":[{"image":"r/helium-backend@%s"}]}`, family, hash, digest)
}

// update updates a service of a cluster to a revision.
func update(t *testing.T, region, cluster, service string, revision int) entry {
	t.Helper()
	return call(t, region, "UpdateService", `{"cluster":%q,"service":%q,"taskDefinition":"%s:%d"}`, cluster, service, service, revision)
}

// asItShould are the calls of that act when all goes well: one service is brought back by an update.
func asItShould(t *testing.T, w *world, a *act) []entry {
	t.Helper()
	var entries []entry
	for _, c := range w.account.Clusters {
		if !a.goes(c) {
			continue
		}
		for _, service := range lab.Services() {
			entries = append(entries, register(t, c.Region, c.Name+"-"+service, "v1-"+service, "sha256:3"), update(t, c.Region, c.Name, service, 3))
		}
	}
	return append(entries, update(t, "ap-southeast-1", firstWave, "worker", 2))
}

func TestTheAuditNoticesWhatIsNotAsItShould(t *testing.T) {
	const region = "ap-southeast-1"
	deployment := func(id string) string {
		return fmt.Sprintf("arn:aws:ecs:%s:111122223333:service-deployment/%s/worker/%s", region, firstWave, id)
	}
	stop := func(t *testing.T, id string) entry {
		t.Helper()
		return call(t, region, "StopServiceDeployment", `{"serviceDeploymentArn":%q}`, deployment(id))
	}
	for name, c := range map[string]struct {
		change func(t *testing.T, entries []entry) []entry
		says   string
	}{
		"nothing":                            {func(_ *testing.T, entries []entry) []entry { return entries }, ""},
		"a content that is registered twice": {func(_ *testing.T, entries []entry) []entry { return append(entries, entries[0]) }, "contents registered"},
		"a content of the release before, registered for the rollback": {func(t *testing.T, entries []entry) []entry {
			return append(entries, register(t, region, "helium-worker", "v1-old", "sha256:2"))
		}, "a content with v2 was registered"},
		"a service that is updated twice": {func(_ *testing.T, entries []entry) []entry { return append(entries, entries[1]) }, "services updated"},
		"a service of the second wave": {func(t *testing.T, entries []entry) []entry {
			return append(entries, update(t, "us-east-1", "helium-virginia-cluster", "backend", 3))
		}, "its wave should never have opened"},
		"a rollback in staging": {func(t *testing.T, entries []entry) []entry {
			return append(entries, update(t, "ap-south-1", "helium-mumbai-staging-cluster", "backend", 2))
		}, "was brought back"},
		"a rollback by two ways": {func(t *testing.T, entries []entry) []entry {
			return append(entries, stop(t, "rolled-back"))
		}, "was brought back 2 times"},
		"a stop that the deployment outran, and then the update": {func(t *testing.T, entries []entry) []entry {
			return append(entries, stop(t, "succeeded"))
		}, ""},
		"no rollback": {func(_ *testing.T, entries []entry) []entry { return entries[:len(entries)-1] }, "nothing was brought back"},
		"a hook": {func(t *testing.T, entries []entry) []entry {
			return append(entries, call(t, region, "ContinueServiceDeployment", `{}`))
		}, "nothing was paused"},
	} {
		t.Run(name, func(t *testing.T) {
			w := aWorld()
			a := crash(w)
			made, problem := w.changes(a, c.change(t, asItShould(t, w, a)), map[string]bool{deployment("succeeded"): true})
			if problem == nil {
				problem = w.judge(a, made)
			}
			switch {
			case c.says == "" && problem != nil:
				t.Errorf("the audit says %v, and all is as it should", problem)
			case c.says != "" && (problem == nil || !strings.Contains(problem.Error(), c.says)):
				t.Errorf("the audit says %v, wanted it to say %q", problem, c.says)
			}
		})
	}
}
