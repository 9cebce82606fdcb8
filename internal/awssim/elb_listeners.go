package awssim

import (
	"cmp"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

type listenerInput struct {
	Protocol       string
	Port           *int
	SslPolicy      string
	Certificates   []elbCertificate
	DefaultActions []elbAction
}

type createListenerInput struct {
	listenerInput
	LoadBalancerArn string
	Tags            []elbTag
}

type listenersOutput struct {
	Listeners  []listenerView
	NextMarker string `json:",omitempty"`
}

type listenerView struct {
	ListenerArn     string
	LoadBalancerArn string
	Port            int
	Protocol        string
	Certificates    []elbCertificate `json:",omitempty"`
	SslPolicy       string           `json:",omitempty"`
	DefaultActions  []elbAction
}

func (l *elbListener) view() listenerView {
	return listenerView{
		ListenerArn: l.arn, LoadBalancerArn: l.balancer.arn, Port: l.port, Protocol: l.protocol,
		Certificates: l.certs, SslPolicy: l.sslPolicy, DefaultActions: l.fallback.actions,
	}
}

// createListener opens a port, or returns the listener of that port if it is the same, as
// AWS does.
func createListener(c *call, in *createListenerInput) (any, error) {
	st := c.region.elb
	b, err := lookUp(c, balancerKind, st.balancers, in.LoadBalancerArn, func(b *loadBalancer) elbTags { return b.tags })
	if err != nil {
		return nil, err
	}
	tags, err := c.readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if in.Port == nil || in.Protocol == "" {
		return nil, elbValidationError("A listener port and protocol must be specified")
	}
	l := &elbListener{balancer: b, tags: tags}
	actions, err := in.apply(st, l)
	if err != nil {
		return nil, err
	}
	for _, other := range b.listeners {
		if other.port != l.port {
			continue
		}
		if other.protocol != l.protocol || !reflect.DeepEqual(other.fallback.actions, actions) {
			return nil, duplicateListener(b)
		}
		return listenersOutput{Listeners: []listenerView{other.view()}}, nil
	}
	_, place, _ := strings.Cut(b.arn, balancerKind.path)
	place += "/" + c.elbID()
	l.arn = c.arn("elasticloadbalancing", listenerKind.path+place)
	l.fallback = &elbRule{arn: c.arn("elasticloadbalancing", ruleKind.path+place+"/"+c.elbID()), listener: l, actions: actions}
	b.listeners = append(b.listeners, l)
	slices.SortFunc(b.listeners, func(x, y *elbListener) int { return cmp.Compare(x.port, y.port) })
	st.listeners[l.arn] = l
	st.rules[l.fallback.arn] = l.fallback
	st.reviewUse()
	c.sim.elb.notify()
	return listenersOutput{Listeners: []listenerView{l.view()}}, nil
}

func duplicateListener(b *loadBalancer) *apiError {
	return newError(http.StatusBadRequest, "DuplicateListener", "A listener already exists on this port for this load balancer '%s'", b.arn)
}

// apply changes the listener as the parameters say, and returns its default actions.
func (in *listenerInput) apply(st *elbState, l *elbListener) (actions []elbAction, err error) {
	switch in.Protocol {
	case "", "HTTP", "HTTPS":
		l.protocol = cmp.Or(in.Protocol, l.protocol)
	default:
		if err := among("protocol", in.Protocol, "HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC"); err != nil {
			return nil, err
		}
		return nil, newError(http.StatusBadRequest, "UnsupportedProtocol", "Listener protocol '%s' is not supported by load balancers of type 'application'", in.Protocol)
	}
	if err := within("Listener port", in.Port, 1, 65535); err != nil {
		return nil, err
	}
	if in.Port != nil {
		l.port = *in.Port
	}
	if err := in.applyTLS(st, l); err != nil {
		return nil, err
	}
	if l.fallback != nil && len(in.DefaultActions) == 0 {
		return l.fallback.actions, nil
	}
	return st.readActions(l.balancer, in.DefaultActions)
}

func (in *listenerInput) applyTLS(st *elbState, l *elbListener) error {
	if l.protocol == "HTTP" {
		if len(in.Certificates) > 0 || in.SslPolicy != "" {
			return elbValidationError("You cannot specify a certificate or a security policy for a listener that uses the HTTP protocol")
		}
		l.certs, l.moreCerts, l.sslPolicy = nil, nil, ""
		return nil
	}
	if len(in.Certificates) > 1 {
		return newError(http.StatusBadRequest, "TooManyCertificates", "Only one default certificate can be specified for a listener")
	}
	if len(in.Certificates) == 1 {
		if err := st.checkCertificate(in.Certificates[0].CertificateArn); err != nil {
			return err
		}
		l.certs = []elbCertificate{{in.Certificates[0].CertificateArn}}
	}
	if len(l.certs) == 0 {
		return elbValidationError("A certificate must be specified for HTTPS listeners")
	}
	if in.SslPolicy != "" && !strings.HasPrefix(in.SslPolicy, "ELBSecurityPolicy-") {
		return newError(http.StatusBadRequest, "SSLPolicyNotFound", "SSL policy '%s' not found", in.SslPolicy)
	}
	l.sslPolicy = cmp.Or(in.SslPolicy, l.sslPolicy, "ELBSecurityPolicy-2016-08")
	return nil
}

type describeListenersInput struct {
	elbPage
	LoadBalancerArn string
	ListenerArns    []string
}

func describeListeners(c *call, in *describeListenersInput) (any, error) {
	if err := c.authorizeELB(); err != nil {
		return nil, err
	}
	if (in.LoadBalancerArn == "") == (len(in.ListenerArns) == 0) {
		return nil, elbValidationError("You must specify either listener ARNs or a load balancer ARN")
	}
	var listeners []*elbListener
	st := c.region.elb
	if in.LoadBalancerArn != "" {
		if err := c.checkELBARN(balancerKind, in.LoadBalancerArn); err != nil {
			return nil, err
		}
		b := st.balancers[in.LoadBalancerArn]
		if b == nil {
			return nil, newError(http.StatusBadRequest, balancerKind.code, "One or more load balancers not found")
		}
		listeners = b.listeners
	}
	for _, arn := range in.ListenerArns {
		l := st.listeners[arn]
		if l == nil {
			return nil, cmp.Or(c.checkELBARN(listenerKind, arn), error(listenerNotFound()))
		}
		listeners = append(listeners, l)
	}
	page, next, err := pageOf(in.elbPage, listeners, func(l *elbListener) string { return l.arn })
	if err != nil {
		return nil, err
	}
	out := listenersOutput{NextMarker: next}
	for _, l := range page {
		out.Listeners = append(out.Listeners, l.view())
	}
	return out, nil
}

func listenerNotFound() *apiError {
	return newError(http.StatusBadRequest, listenerKind.code, "One or more listeners not found")
}

type elbListenerInput struct{ ListenerArn string }

func (c *call) listener(arn string) (*elbListener, error) {
	l, err := lookUp(c, listenerKind, c.region.elb.listeners, arn, func(l *elbListener) elbTags { return l.tags })
	if isCode(err, listenerKind.code) {
		return nil, listenerNotFound()
	}
	return l, err
}

type modifyListenerInput struct {
	elbListenerInput
	listenerInput
}

func modifyListener(c *call, in *modifyListenerInput) (any, error) {
	l, err := c.listener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	if in.Port != nil && slices.ContainsFunc(l.balancer.listeners, func(other *elbListener) bool { return other != l && other.port == *in.Port }) {
		return nil, duplicateListener(l.balancer)
	}
	changed := *l
	actions, err := in.apply(c.region.elb, &changed)
	if err != nil {
		return nil, err
	}
	*l = changed
	l.fallback.actions, l.fallback.credit = actions, nil
	slices.SortFunc(l.balancer.listeners, func(x, y *elbListener) int { return cmp.Compare(x.port, y.port) })
	c.region.elb.reviewUse()
	c.sim.elb.notify()
	return listenersOutput{Listeners: []listenerView{l.view()}}, nil
}

func deleteListener(c *call, in *elbListenerInput) (any, error) {
	l, err := c.listener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	c.region.elb.removeListener(l)
	c.region.elb.reviewUse()
	c.sim.elb.notify()
	return struct{}{}, nil
}

// removeListener takes out a listener with its rules.
func (st *elbState) removeListener(l *elbListener) {
	for _, rule := range append(l.rules, l.fallback) {
		delete(st.rules, rule.arn)
	}
	delete(st.listeners, l.arn)
	l.balancer.listeners = slices.DeleteFunc(l.balancer.listeners, func(other *elbListener) bool { return other == l })
}

// String names the listener in logs.
func (l *elbListener) String() string {
	return fmt.Sprintf("%s://%s:%d", strings.ToLower(l.protocol), l.balancer.dnsName, l.port)
}
