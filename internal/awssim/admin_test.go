package awssim

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// adminCall sends a request to the admin API, and decodes the answer into result if there is
// one to decode into.
func adminCall(t *testing.T, s *Simulator, method, path, body string, result any) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://awssim.local/_sim"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := s.HTTPClient().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if result != nil {
		if err := json.Unmarshal(data, result); err != nil {
			t.Fatalf("%s %s answered %s: %v", method, path, data, err)
		}
	}
	return response.StatusCode, string(data)
}

func TestTheAdminAPIScriptsTheWorld(t *testing.T) {
	s := New(Options{})
	var user User
	adminCall(t, s, "PUT", "/users", `{"account": "111122223333", "name": "ci", "unrestricted": true}`, &user)
	cfg := sdkConfig(t, s, mumbai, user.AccessKeyID, user.SecretAccessKey, "")
	var role Role
	adminCall(t, s, "PUT", "/roles", `{"account": "444455556666", "name": "deployer", "path": "/ops/", "trustPolicy": `+string(statements(trusting(`"*"`, `"*"`)))+`}`, &role)
	if role.ARN != "arn:aws:iam::444455556666:role/ops/deployer" {
		t.Errorf("role %+v", role)
	}
	if _, err := assume(cfg, role.ARN); err != nil {
		t.Error(err)
	}
	var users []User
	var roles []Role
	adminCall(t, s, "GET", "/users", "", &users)
	adminCall(t, s, "GET", "/roles", "", &roles)
	if len(users) != 1 || len(roles) != 1 {
		t.Errorf("%d users, %d roles", len(users), len(roles))
	}

	var fault Fault
	adminCall(t, s, "POST", "/faults", `{"operation": "ListClusters", "throttle": true, "latency": "1us"}`, &fault)
	wantCode(t, listClustersAs(t, cfg), "ThrottlingException", "")
	var faults []Fault
	adminCall(t, s, "GET", "/faults", "", &faults)
	if len(faults) != 1 || faults[0].Struck != 1 || faults[0].ID != fault.ID {
		t.Errorf("faults %+v", faults)
	}

	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"DELETE", "/faults/" + fault.ID, "", 204},
		{"DELETE", "/faults/" + fault.ID, "", 404},
		{"DELETE", "/faults", "", 204},
		{"PUT", "/quotas", `{"enabled": true}`, 204},
		{"PUT", "/latency", `{"read": "1us"}`, 200},
		{"PUT", "/images", `{"image": "*:v2", "kind": "Crash", "exitCode": 3}`, 204},
		{"DELETE", "/images", "", 204},
		{"PUT", "/replication", `{"account": "111122223333", "region": "ap-south-1", "delay": "1m"}`, 204},
	} {
		if status, text := adminCall(t, s, c.method, c.path, c.body, nil); status != c.status {
			t.Errorf("%s %s: %d %s, want %d", c.method, c.path, status, text, c.status)
		}
	}
	if err := listClustersAs(t, cfg); err != nil {
		t.Error(err)
	}
	if s.latency != (Latency{Read: time.Microsecond}) || !s.quotas {
		t.Errorf("latency %+v, quotas %v", s.latency, s.quotas)
	}

	var entries []JournalEntry
	adminCall(t, s, "GET", "/journal?operation=ListClusters&principal=*user/ci&since=2020-01-01T00:00:00Z&after=1", "", &entries)
	if len(entries) != 2 || entries[0].Code != "ThrottlingException" || entries[1].Status != 200 {
		t.Errorf("journal %+v", entries)
	}
	var summary JournalSummary
	adminCall(t, s, "GET", "/journal/summary", "", &summary)
	if len(summary.Calls) != 2 || summary.Calls[0].Throttled != 1 {
		t.Errorf("summary %+v", summary)
	}
	var state struct {
		Quotas bool
		Routes []adminRoute
	}
	adminCall(t, s, "GET", "/", "", &state)
	if !state.Quotas || len(state.Routes) < 15 {
		t.Errorf("state %+v", state)
	}
	for _, path := range []string{"/users/111122223333/ci", "/roles/444455556666/deployer", "/journal"} {
		if status, text := adminCall(t, s, "DELETE", path, "", nil); status != 204 {
			t.Errorf("DELETE %s: %d %s", path, status, text)
		}
	}
}

func TestWrongAdminInputIsToldInASentence(t *testing.T) {
	s := New(Options{})
	for _, c := range []struct{ method, path, body, text string }{
		{"PUT", "/users", "", "the document is empty"},
		{"PUT", "/users", `{"acount": "1"}`, `unknown field \"acount\"`},
		{"PUT", "/users", `{"account": "1", "name": "ci"}`, "twelve digits"},
		{"PUT", "/users", `{"account": "111122223333", "name": "c i"}`, "name"},
		{"PUT", "/users", `{"account": "111122223333", "name": "ci", "accessKeyId": "111122223333"}`, "access key ID"},
		{"PUT", "/users", `{"account": "111122223333", "name": "ci"} {}`, "text after"},
		{"PUT", "/roles", `{"account": "111122223333", "name": "r"}`, "trust policy"},
		{"PUT", "/roles", `{"account": "111122223333", "name": "r", "maxSessionDuration": 60, "trustPolicy": ` + string(statements(trusting(`"*"`, `"*"`))) + `}`, "3600 to 43200"},
		{"PUT", "/quotas", `{}`, "enabled is missing"},
		{"PUT", "/latency", `{"read": "50"}`, `no duration`},
		{"PUT", "/latency", `{"write": "-1s"}`, `negative`},
		{"PUT", "/images", `{"kind": "Explode"}`, "Explode"},
		{"PUT", "/replication", `{"account": "x", "region": "ap-south-1", "delay": "1m"}`, "twelve digits"},
		{"PUT", "/replication", `{"account": "111122223333", "region": "mumbai", "delay": "1m"}`, "region"},
		{"PUT", "/replication", `{"account": "111122223333", "region": "ap-south-1"}`, "delay is missing"},
		{"POST", "/faults", `{}`, "does nothing"},
		{"POST", "/faults", `{"drpo": true}`, "drpo"},
		{"GET", "/journal?sinc=x", "", "no filter"},
		{"GET", "/journal?since=yesterday", "", "RFC 3339"},
		{"GET", "/journal?after=x", "", "sequence number"},
	} {
		var answer struct{ Error string }
		status, text := adminCall(t, s, c.method, c.path, c.body, &answer)
		if status != http.StatusBadRequest || answer.Error == "" || !strings.Contains(text, c.text) {
			t.Errorf("%s %s %s: %d %s, want 400 with %s", c.method, c.path, c.body, status, text, c.text)
		}
	}
	if status, text := adminCall(t, s, "GET", "/nothing", "", nil); status != http.StatusNotFound || !strings.Contains(text, "lists them") {
		t.Errorf("%d %s", status, text)
	}
}

func TestAnAccessKeyBelongsToOneUser(t *testing.T) {
	s := New(Options{})
	first := User{Account: ownAccount, Name: "first", AccessKeyID: "AKIA0000000000000001", SecretAccessKey: "a"}
	if _, err := s.PutUser(first); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutUser(User{Account: ownAccount, Name: "second", AccessKeyID: first.AccessKeyID}); err == nil || !strings.Contains(err.Error(), "user/first") {
		t.Errorf("error %v", err)
	}
	first.AccessKeyID = "AKIA0000000000000002"
	if _, err := s.PutUser(first); err != nil {
		t.Fatal(err)
	}
	wantCode(t, listClustersAs(t, sdkConfig(t, s, mumbai, "AKIA0000000000000001", "a", "")), "UnrecognizedClientException", "")
}
