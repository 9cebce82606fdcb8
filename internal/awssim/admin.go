package awssim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// adminRoute is one line of the admin API.
type adminRoute struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Does   string `json:"does"`
	handle func(r *http.Request, body []byte) (any, error)
}

// errNotThere is the answer for something to delete that does not exist.
var errNotThere = errors.New("there is no such thing")

const maxAdminBody = 8 << 20

// adminRoutes is the handler of everything under /_sim/.
func (s *Simulator) adminRoutes() http.Handler {
	var routes []adminRoute
	routes = []adminRoute{
		{"GET", "/_sim/{$}", "the routes, and the state of the switches", func(*http.Request, []byte) (any, error) {
			return s.adminState(routes), nil
		}},
		{"PUT", "/_sim/users", "create or replace a user; answers it with its keys", func(_ *http.Request, body []byte) (any, error) {
			return put(body, s.PutUser)
		}},
		{"GET", "/_sim/users", "all users", func(*http.Request, []byte) (any, error) { return s.Users(), nil }},
		{"DELETE", "/_sim/users/{account}/{name}", "delete a user", func(r *http.Request, _ []byte) (any, error) {
			return removed(s.RemoveUser(r.PathValue("account"), r.PathValue("name")))
		}},
		{"PUT", "/_sim/roles", "create or replace a role; answers it with its ARN", func(_ *http.Request, body []byte) (any, error) {
			return put(body, s.PutRole)
		}},
		{"GET", "/_sim/roles", "all roles", func(*http.Request, []byte) (any, error) { return s.Roles(), nil }},
		{"DELETE", "/_sim/roles/{account}/{name}", "delete a role and its sessions", func(r *http.Request, _ []byte) (any, error) {
			return removed(s.RemoveRole(r.PathValue("account"), r.PathValue("name")))
		}},
		{"PUT", "/_sim/quotas", `{"enabled": true}: enforce AWS's request quotas, buckets full`, s.putQuotas},
		{"PUT", "/_sim/latency", `{"read": "50ms", "write": "250ms"}: what every answer takes`, s.putLatency},
		{"PUT", "/_sim/images", `{"image": "*:v3", "kind": "Crash", "exitCode": 3, "afterSeconds": 5}: script what an image does when it runs; also account, region, cluster, service, container (all with *); kinds: Healthy, Errors (answers users with httpStatus), Crash, Unhealthy, PullFail, OutOfMemory, SlowStart, PlacementFail`, s.putImageBehavior},
		{"DELETE", "/_sim/images", "all images are well again", func(*http.Request, []byte) (any, error) {
			s.ClearImageBehaviors()
			return nil, nil
		}},
		{"PUT", "/_sim/replication", `{"account": "..", "region": "..", "delay": "1m"}: how long ECR's replication takes`, s.putReplication},
		{"PUT", "/_sim/targets", `{"targetGroup": "arn:..", "id": "10.0.0.7", "port": 8080, "healthy": false, "reason": "Target.Timeout"}: what the health checks of a registered target find`, func(_ *http.Request, body []byte) (any, error) {
			return put(body, func(h TargetHealth) (TargetHealth, error) { return h, s.SetTargetHealth(h) })
		}},
		{"GET", "/_sim/targets", "the registered targets of all load balancers", func(*http.Request, []byte) (any, error) { return s.Targets(), nil }},
		{"DELETE", "/_sim/targets", "the health checks find what the targets themselves answer", func(*http.Request, []byte) (any, error) {
			s.ClearTargetHealth()
			return nil, nil
		}},
		{"PUT", "/_sim/endpoints", `{"endpointGroup": "arn:..", "endpoint": "arn:..", "state": "UNHEALTHY"}: the health of an endpoint of an accelerator`, func(_ *http.Request, body []byte) (any, error) {
			return put(body, func(h EndpointHealth) (EndpointHealth, error) { return h, s.SetEndpointHealth(h) })
		}},
		{"GET", "/_sim/endpoints", "the endpoints of all accelerators", func(*http.Request, []byte) (any, error) { return s.Endpoints(), nil }},
		{"DELETE", "/_sim/endpoints", "the load balancers decide about the health of the endpoints", func(*http.Request, []byte) (any, error) {
			s.ClearEndpointHealth()
			return nil, nil
		}},
		{"PUT", "/_sim/certificates", `{"certificate": "arn:..", "status": "EXPIRED", "notAfter": "2026-01-31T23:59:59Z"}: change a certificate of ACM's (status, notBefore, notAfter, failureReason, revocationReason, renewalStatus); answers what it has become`, func(_ *http.Request, body []byte) (any, error) {
			return put(body, s.SetCertificate)
		}},
		{"GET", "/_sim/certificates", "the certificates of ACM of all accounts and regions", func(*http.Request, []byte) (any, error) { return s.Certificates(), nil }},
		{"GET", "/_sim/ca.pem", "the certificate that the load balancers' certificates are signed by, in PEM", func(*http.Request, []byte) (any, error) {
			return pemFile(s.CertificateAuthority())
		}},
		{"POST", "/_sim/faults", `{"operation": "UpdateService", "times": 1, "drop": true, "executed": true}: put a fault in force (error, throttle, drop, hang, latency, staleness); answers it with its ID`, func(_ *http.Request, body []byte) (any, error) {
			return put(body, s.putFault)
		}},
		{"GET", "/_sim/faults", "the faults in force, with what they hit", func(*http.Request, []byte) (any, error) { return s.Faults(), nil }},
		{"DELETE", "/_sim/faults", "end all faults", func(*http.Request, []byte) (any, error) {
			s.ClearFaults()
			return nil, nil
		}},
		{"DELETE", "/_sim/faults/{id}", "end one", func(r *http.Request, _ []byte) (any, error) {
			return removed(s.RemoveFault(r.PathValue("id")))
		}},
		{"GET", "/_sim/deliveries", "what became of the newest events that rules of EventBridge had for their targets", func(*http.Request, []byte) (any, error) {
			return s.EventDeliveries(), nil
		}},
		{"DELETE", "/_sim/deliveries", "forget the deliveries that are over", func(*http.Request, []byte) (any, error) {
			s.ClearEventDeliveries()
			return nil, nil
		}},
		{"POST", "/_sim/deliveries/faults", `{"detailType": "ECS *", "times": 1, "duplicate": 1, "delay": "30s"}: put a fault of deliveries in force (lose, duplicate, body, delay, jitter); answers it with its ID`, func(_ *http.Request, body []byte) (any, error) {
			return put(body, s.putDeliveryFault)
		}},
		{"GET", "/_sim/deliveries/faults", "the faults of deliveries in force, with what they hit", func(*http.Request, []byte) (any, error) {
			return s.DeliveryFaults(), nil
		}},
		{"DELETE", "/_sim/deliveries/faults", "end all faults of deliveries", func(*http.Request, []byte) (any, error) {
			s.ClearDeliveryFaults()
			return nil, nil
		}},
		{"DELETE", "/_sim/deliveries/faults/{id}", "end one", func(r *http.Request, _ []byte) (any, error) {
			return removed(s.RemoveDeliveryFault(r.PathValue("id")))
		}},
		{"GET", "/_sim/journal", "calls; ?principal= ?account= ?service= ?operation= (with * and ?), ?since= (RFC 3339), ?after= (a sequence number)", s.getJournal},
		{"GET", "/_sim/journal/summary", "counts per principal and operation; actions authorised", func(*http.Request, []byte) (any, error) {
			return s.Summary(), nil
		}},
		{"DELETE", "/_sim/journal", "forget all calls and counts", func(*http.Request, []byte) (any, error) {
			s.ResetJournal()
			return nil, nil
		}},
	}
	mux := http.NewServeMux()
	for _, route := range routes {
		mux.HandleFunc(route.Method+" "+route.Path, route.serve)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answerAdmin(w, http.StatusNotFound, map[string]string{"error": "no route for " + r.Method + " " + r.URL.Path + "; GET /_sim/ lists them"})
	})
	return mux
}

func (route adminRoute) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAdminBody))
	var result any
	if err == nil {
		result, err = route.handle(r, body)
	}
	status := http.StatusOK
	switch {
	case errors.Is(err, errNotThere):
		status = http.StatusNotFound
	case err != nil:
		status = http.StatusBadRequest
	case result == nil:
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if err != nil {
		// Which package reads the JSON is nothing to the person who wrote it.
		result = map[string]string{"error": strings.TrimPrefix(err.Error(), "json: ")}
	}
	if file, raw := result.(pemDocument); raw {
		w.Header().Set("Content-Type", "application/x-pem-file")
		_, _ = w.Write(file) // the client has gone if this fails; there is nobody to tell
		return
	}
	answerAdmin(w, status, result)
}

// pemDocument is an answer that is no JSON.
type pemDocument []byte

func pemFile(data []byte, err error) (any, error) { return pemDocument(data), err }

func answerAdmin(w http.ResponseWriter, status int, result any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(result) // the client has gone if this fails; there is nobody to tell
}

// put reads a document for a method that stores it and returns what it became.
func put[T any](body []byte, store func(T) (T, error)) (any, error) {
	var document T
	if err := decodeStrictly(body, &document); err != nil {
		return nil, err
	}
	return store(document)
}

func removed(was bool) (any, error) {
	if !was {
		return nil, errNotThere
	}
	return nil, nil
}

// adminState is the answer of /_sim/.
func (s *Simulator) adminState(routes []adminRoute) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	speed := s.speed
	if speed <= 0 {
		speed = 1
	}
	return map[string]any{
		"speed": speed, "quotas": s.quotas, "latency": s.latency, "faults": len(s.faults),
		"accounts": len(s.accounts), "routes": routes,
	}
}

func (s *Simulator) putQuotas(_ *http.Request, body []byte) (any, error) {
	var document struct {
		Enabled *bool `json:"enabled"`
	}
	if err := decodeStrictly(body, &document); err != nil {
		return nil, err
	}
	if document.Enabled == nil {
		return nil, errors.New("enabled is missing; it is true or false")
	}
	s.SetQuotas(*document.Enabled)
	return nil, nil
}

func (s *Simulator) putLatency(_ *http.Request, body []byte) (any, error) {
	s.mu.Lock()
	latency := s.latency
	s.mu.Unlock()
	if err := decodeStrictly(body, &latency); err != nil {
		return nil, err
	}
	s.SetLatency(latency)
	return latency, nil
}

func (s *Simulator) putImageBehavior(_ *http.Request, body []byte) (any, error) {
	var behavior ImageBehavior
	if err := decodeStrictly(body, &behavior); err != nil {
		return nil, err
	}
	if err := behavior.Validate(); err != nil {
		return nil, err
	}
	s.SetImageBehavior(behavior)
	return nil, nil
}

func (s *Simulator) putReplication(_ *http.Request, body []byte) (any, error) {
	var document struct {
		Account string `json:"account"`
		Region  string `json:"region"`
		Delay   *span  `json:"delay"`
	}
	if err := decodeStrictly(body, &document); err != nil {
		return nil, err
	}
	switch {
	case !isAccountID(document.Account):
		return nil, fmt.Errorf("account %q is not twelve digits", document.Account)
	case !regionName.MatchString(document.Region):
		return nil, fmt.Errorf("region %q is not the name of one", document.Region)
	case document.Delay == nil:
		return nil, errors.New(`delay is missing; write it like "1m"`)
	}
	s.SetReplicationDelay(document.Account, document.Region, time.Duration(*document.Delay))
	return nil, nil
}

// putFault is AddFault in the shape of the other routes.
func (s *Simulator) putFault(f Fault) (Fault, error) {
	id, err := s.AddFault(f)
	if err != nil {
		return Fault{}, err
	}
	f.ID, f.Matched, f.Struck = id, 0, 0
	return f, nil
}

// putDeliveryFault is AddDeliveryFault in the shape of the other routes.
func (s *Simulator) putDeliveryFault(f DeliveryFault) (DeliveryFault, error) {
	id, err := s.AddDeliveryFault(f)
	if err != nil {
		return DeliveryFault{}, err
	}
	f.ID, f.Matched, f.Struck = id, 0, 0
	return f, nil
}

func (s *Simulator) getJournal(r *http.Request, _ []byte) (any, error) {
	filter, err := readFilter(r.URL.Query())
	if err != nil {
		return nil, err
	}
	return s.Journal(filter), nil
}

func readFilter(query url.Values) (filter JournalFilter, err error) {
	for name, values := range query {
		value := values[len(values)-1]
		switch name {
		case "principal":
			filter.Principal = value
		case "account":
			filter.Account = value
		case "service":
			filter.Service = value
		case "operation":
			filter.Operation = value
		case "since":
			if filter.Since, err = time.Parse(time.RFC3339, value); err != nil {
				return filter, fmt.Errorf("since=%s is no RFC 3339 time", value)
			}
		case "after":
			if filter.After, err = strconv.ParseUint(value, 10, 64); err != nil {
				return filter, fmt.Errorf("after=%s is no sequence number", value)
			}
		default:
			return filter, fmt.Errorf("the journal has no filter %q; it has principal, account, service, operation, since and after", name)
		}
	}
	return filter, nil
}
