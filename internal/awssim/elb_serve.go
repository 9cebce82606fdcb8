package awssim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// elbWorld is what all accounts' load balancers have in common: their names are global.
type elbWorld struct {
	loopback bool // each load balancer has an address of its own instead of a name
	byName   map[string]*loadBalancer
	count    int           // of addresses given out
	changed  chan struct{} // closed when listeners come or go
	ca       authority
}

func newELBWorld(loopback bool) elbWorld {
	return elbWorld{loopback: loopback, byName: map[string]*loadBalancer{}, changed: make(chan struct{})}
}

// nameOf is the DNS name of a new load balancer. Loopback addresses start with 127.80.0.1.
func (e *elbWorld) nameOf(c *call, b *loadBalancer) string {
	if e.loopback {
		n := e.count
		e.count++
		return net.IPv4(127, byte(80+n/(254*256)), byte(n/254), byte(1+n%254)).String()
	}
	name := fmt.Sprintf("%s-%s.%s.elb.amazonaws.com", strings.ToLower(b.name), c.sim.randomText(decimalDigits[1:], 9), c.region.name)
	if b.scheme == "internal" {
		return "internal-" + name
	}
	return name
}

// notify tells whoever listens for the load balancers that their listeners are others now.
func (e *elbWorld) notify() {
	close(e.changed)
	e.changed = make(chan struct{})
}

// listener is what listens on that port of the load balancer of that name; nil is nothing.
func (e *elbWorld) listener(dnsName string, port int) *elbListener {
	b := e.byName[strings.ToLower(strings.TrimSuffix(dnsName, "."))]
	if b == nil {
		return nil
	}
	for _, l := range b.listeners {
		if l.port == port {
			return l
		}
	}
	return nil
}

// LoadBalancer is what a client gets that connects to a port of the load balancer of that
// DNS name. The listener's rules are those of the moment of each request; once there is no
// listener on the port, requests are aborted like those on a connection that was closed.
func (s *Simulator) LoadBalancer(dnsName string, port int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.advance()
		var serve http.HandlerFunc
		if l := s.elb.listener(dnsName, port); l != nil {
			serve = l.rule(r).serve(r)
		}
		s.mu.Unlock()
		if serve == nil {
			panic(http.ErrAbortHandler)
		}
		serve(w, r)
	})
}

// rule is the first rule whose conditions the request meets.
func (l *elbListener) rule(r *http.Request) *elbRule {
	for _, rule := range l.rules {
		if !slices.ContainsFunc(rule.conditions, func(c elbCondition) bool { return !c.holds(r) }) {
			return rule
		}
	}
	return l.fallback
}

func (c *elbCondition) holds(r *http.Request) bool {
	switch c.Field {
	case "host-header":
		host := hostOnly(r.Host)
		return slices.ContainsFunc(c.Values, func(pattern string) bool { return matchFold(pattern, host) })
	case "path-pattern":
		return slices.ContainsFunc(c.Values, func(pattern string) bool { return match(pattern, r.URL.Path) })
	default: // http-header
		return slices.ContainsFunc(c.HTTPHeaderConfig.Values, func(pattern string) bool {
			return slices.ContainsFunc(r.Header.Values(c.HTTPHeaderConfig.HTTPHeaderName), func(value string) bool { return matchFold(pattern, value) })
		})
	}
}

// serve is what the rule does with a request, chosen under the lock and run without it.
func (r *elbRule) serve(request *http.Request) http.HandlerFunc {
	a := r.actions[0]
	switch a.Type {
	case "fixed-response":
		return a.FixedResponseConfig.serve
	case "redirect":
		location := a.RedirectConfig.location(request, r.listener)
		status := http.StatusFound
		if a.RedirectConfig.StatusCode == "HTTP_301" {
			status = http.StatusMovedPermanently
		}
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Server", "awselb/2.0")
			w.Header().Set("Location", location)
			w.WriteHeader(status)
		}
	}
	g := r.listener.balancer.groups(r)[r.share(a.ForwardConfig)]
	if m := g.next(); m != nil {
		return m.serve(r.listener)
	}
	return balancerError(http.StatusServiceUnavailable, "Service Temporarily Unavailable")
}

// groups are the target groups that the rule forwards to.
func (b *loadBalancer) groups(r *elbRule) map[string]*targetGroup {
	groups := map[string]*targetGroup{}
	for arn := range r.forwards() {
		groups[arn] = b.state.groups[arn]
	}
	return groups
}

// share chooses the target group of the next request. It is a smooth weighted round robin:
// over as many requests as the weights add up to, each group gets exactly its weight. "" is
// that all weights are 0.
func (r *elbRule) share(config *elbForward) string {
	if r.credit == nil {
		r.credit = map[string]int{}
	}
	best, total := "", 0
	for _, g := range config.TargetGroups {
		if *g.Weight == 0 {
			continue
		}
		total += *g.Weight
		r.credit[g.TargetGroupArn] += *g.Weight
		if best == "" || r.credit[g.TargetGroupArn] > r.credit[best] {
			best = g.TargetGroupArn
		}
	}
	if best != "" {
		r.credit[best] -= total
	}
	return best
}

// next is the target whose turn it is: of the healthy ones, or of the unhealthy ones where
// all are, since a load balancer that trusts nobody fails open. nil is a group without any,
// or no group.
func (g *targetGroup) next() *groupMember {
	if g == nil {
		return nil
	}
	byState := map[string][]*groupMember{}
	for _, key := range g.order() {
		m := g.members[key]
		byState[m.state] = append(byState[m.state], m)
	}
	eligible := byState[stateHealthy]
	if len(eligible) == 0 && len(byState[stateInitial]) == 0 {
		eligible = byState[stateUnhealthy]
	}
	if len(eligible) == 0 {
		return nil
	}
	g.turn++
	return eligible[(g.turn-1)%uint64(len(eligible))]
}

// idleTimeout is how long a load balancer waits for its targets.
const idleTimeout = 60 * time.Second

// serve passes a request on to the target.
func (m *groupMember) serve(l *elbListener) http.HandlerFunc {
	handle := m.target.Serve
	if handle == nil {
		handle = plainTarget(net.JoinHostPort(m.id, strconv.Itoa(m.port)), m.healthy())
	}
	protocol, port := strings.ToLower(l.protocol), strconv.Itoa(l.port)
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), idleTimeout)
		defer cancel()
		passed := r.Clone(ctx)
		client, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil { // a connection in memory
			client = "127.0.0.1"
		}
		passed.Header.Set("X-Forwarded-For", strings.Join(append(r.Header.Values("X-Forwarded-For"), client), ", "))
		passed.Header.Set("X-Forwarded-Proto", protocol)
		passed.Header.Set("X-Forwarded-Port", port)
		recorder := &responseRecorder{header: http.Header{}}
		switch {
		case recorder.serve(http.HandlerFunc(handle), passed):
			maps.Copy(w.Header(), recorder.sent)
			w.WriteHeader(recorder.status)
			_, _ = recorder.body.WriteTo(w) // the client has gone if this fails; there is nobody to tell
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			balancerError(http.StatusGatewayTimeout, "Gateway Time-out")(w, r)
		default:
			balancerError(http.StatusBadGateway, "Bad Gateway")(w, r)
		}
	}
}

// plainTarget answers with its address.
func plainTarget(address string, healthy bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		if !healthy {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, address+"\n") // into a buffer
	}
}

func (f *elbFixedResponse) serve(w http.ResponseWriter, _ *http.Request) {
	status, err := strconv.Atoi(f.StatusCode)
	if err != nil { // rules are checked when they are made
		status = http.StatusInternalServerError
	}
	w.Header().Set("Server", "awselb/2.0")
	w.Header().Set("Content-Type", cmp.Or(f.ContentType, "text/plain; charset=utf-8"))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, f.MessageBody) // the client has gone if this fails; there is nobody to tell
}

// location is where a redirect leads, with the request's parts in the place of #{...}.
func (d *elbRedirect) location(r *http.Request, l *elbListener) string {
	fill := strings.NewReplacer(
		"#{protocol}", strings.ToLower(l.protocol), "#{host}", hostOnly(r.Host), "#{port}", strconv.Itoa(l.port),
		"#{path}", strings.TrimPrefix(r.URL.EscapedPath(), "/"), "#{query}", r.URL.RawQuery)
	location := strings.ToLower(fill.Replace(d.Protocol)) + "://" + fill.Replace(d.Host) + ":" + fill.Replace(d.Port) + fill.Replace(d.Path)
	if query := fill.Replace(d.Query); query != "" {
		location += "?" + query
	}
	return location
}

// balancerError is an error of the load balancer's own.
func balancerError(status int, text string) http.HandlerFunc {
	page := fmt.Sprintf("<html>\r\n<head><title>%[1]d %[2]s</title></head>\r\n<body>\r\n<center><h1>%[1]d %[2]s</h1></center>\r\n</body>\r\n</html>\r\n", status, text)
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "awselb/2.0")
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, page) // the client has gone if this fails; there is nobody to tell
	}
}

// hostOnly is a Host header without its port.
func hostOnly(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}
