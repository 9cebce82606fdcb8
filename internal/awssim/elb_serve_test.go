package awssim

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// get asks a port of the load balancer, without a connection.
func get(s *Simulator, f *elbFixture, port int, url string, change ...func(*http.Request)) (status int, body string, header http.Header) {
	r := httptest.NewRequest(http.MethodGet, url, nil)
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	s.LoadBalancer(f.dnsName, port).ServeHTTP(w, r)
	return w.Code, w.Body.String(), w.Header()
}

func TestRulesRouteByHostPathAndHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newELBFixture(t, s)
		groups := map[string]string{}
		for id, name := range map[string]string{"10.0.0.2": "api", "10.0.0.3": "admin", "10.0.0.4": "preview"} {
			groups[name] = f.createGroup(t, name)
			f.register(t, groups[name], id)
		}
		f.register(t, f.group, "10.0.0.1")
		f.createRule(t, 20, "path-pattern", "/api/*", forwardTo(groups["api"])[0])
		f.createRule(t, 10, "host-header", "admin.*.com", forwardTo(groups["admin"])[0])
		must(f.client.CreateRule(t.Context(), &elb.CreateRuleInput{
			ListenerArn: &f.listener, Priority: aws.Int32(5), Actions: forwardTo(groups["preview"]),
			Conditions: []types.RuleCondition{
				{Field: aws.String("http-header"), HttpHeaderConfig: &types.HttpHeaderConditionConfig{HttpHeaderName: aws.String("X-Test"), Values: []string{"yes"}}},
				{Field: aws.String("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{Values: []string{"/api/?"}}},
			},
		}))(t)
		f.createRule(t, 30, "path-pattern", "/maintenance", types.Action{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{
			StatusCode: aws.String("503"), ContentType: aws.String("application/json"), MessageBody: aws.String(`{"back":"soon"}`),
		}})
		f.createRule(t, 40, "path-pattern", "/old/*", types.Action{Type: types.ActionTypeEnumRedirect, RedirectConfig: &types.RedirectActionConfig{
			Protocol: aws.String("HTTPS"), Port: aws.String("443"), Path: aws.String("/new/#{path}"), StatusCode: types.RedirectActionStatusCodeEnumHttp301,
		}})
		time.Sleep(time.Minute)
		test := func(r *http.Request) { r.Header.Set("X-Test", "YES") }
		for _, c := range []struct {
			url    string
			change []func(*http.Request)
			want   string
		}{
			{"http://shop.example.com/", nil, "10.0.0.1:8080\n"},
			{"http://shop.example.com/api/v1", nil, "10.0.0.2:8080\n"},
			{"http://shop.example.com/API/v1", nil, "10.0.0.1:8080\n"},
			{"http://ADMIN.example.com:80/api/v1", nil, "10.0.0.3:8080\n"},
			{"http://admin.example.com/api/1", []func(*http.Request){test}, "10.0.0.4:8080\n"},
			{"http://shop.example.com/api/12", []func(*http.Request){test}, "10.0.0.2:8080\n"},
		} {
			if status, body, _ := get(s, f, 80, c.url, c.change...); status != http.StatusOK || body != c.want {
				t.Errorf("%s: %d %q, want %q", c.url, status, body, c.want)
			}
		}
		status, body, header := get(s, f, 80, "http://shop.example.com/maintenance")
		if status != http.StatusServiceUnavailable || body != `{"back":"soon"}` || header.Get("Content-Type") != "application/json" {
			t.Errorf("%d %s %v", status, body, header)
		}
		status, _, header = get(s, f, 80, "http://shop.example.com/old/a?b=c")
		if status != http.StatusMovedPermanently || header.Get("Location") != "https://shop.example.com:443/new/old/a?b=c" {
			t.Errorf("%d %v", status, header)
		}
	})
}

func TestTrafficIsSharedOutExactlyByWeight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newELBFixture(t, s)
		green, none := f.createGroup(t, "green"), f.createGroup(t, "none")
		f.register(t, f.group, "10.0.0.1", "10.0.0.2")
		f.register(t, green, "10.0.1.1")
		f.createRule(t, 1, "path-pattern", "/*", forwardByWeight(f.group, 90, green, 10, none, 0))
		time.Sleep(time.Minute)
		count := func() map[string]int {
			got := map[string]int{}
			for range 100 {
				_, body, _ := get(s, f, 80, "http://shop.example.com/")
				got[strings.TrimSpace(body)]++
			}
			return got
		}
		if diff := cmp.Diff(map[string]int{"10.0.0.1:8080": 45, "10.0.0.2:8080": 45, "10.0.1.1:8080": 10}, count()); diff != "" {
			t.Error(diff)
		}
		must(f.client.DeregisterTargets(t.Context(), &elb.DeregisterTargetsInput{TargetGroupArn: &f.group, Targets: []types.TargetDescription{{Id: aws.String("10.0.0.1")}}}))(t)
		if diff := cmp.Diff(map[string]int{"10.0.0.2:8080": 90, "10.0.1.1:8080": 10}, count()); diff != "" {
			t.Errorf("with a target that drains: %s", diff)
		}
	})
}

func TestWithoutATargetThatAnswersTheLoadBalancerSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newELBFixture(t, s)
		expect := func(want int, text string) {
			t.Helper()
			if status, body, _ := get(s, f, 80, "http://shop.example.com/"); status != want || !strings.Contains(body, text) {
				t.Errorf("%d %q, want %d %q", status, body, want, text)
			}
		}
		expect(http.StatusServiceUnavailable, "503 Service Temporarily Unavailable")
		r := s.regionOf(t)
		put := func(t2 target) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if err := r.registerTarget(f.group, "10.0.0.1", 0, t2); err != nil {
				t.Error(err)
			}
		}
		put(target{Serve: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Seen", r.Header.Get("X-Forwarded-Proto")+" "+r.Header.Get("X-Forwarded-Port"))
			w.WriteHeader(http.StatusTeapot)
		}})
		expect(http.StatusServiceUnavailable, "503") // no check has passed yet
		time.Sleep(time.Minute)
		expect(http.StatusTeapot, "")
		if _, _, header := get(s, f, 80, "http://shop.example.com/"); header.Get("X-Seen") != "http 80" {
			t.Errorf("the target saw %q", header.Get("X-Seen"))
		}
		put(target{Serve: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }})
		expect(http.StatusBadGateway, "502 Bad Gateway")
		put(target{Serve: func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		}})
		expect(http.StatusGatewayTimeout, "504 Gateway Time-out")
		put(target{Healthy: func() bool { return false }, Serve: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }})
		time.Sleep(time.Minute)
		expect(http.StatusInternalServerError, "") // it fails open
		s.mu.Lock()
		r.deregisterTarget(f.group, "10.0.0.1", 0)
		s.mu.Unlock()
		expect(http.StatusServiceUnavailable, "503")
	})
}

// balancerClient connects to load balancers in memory, whatever host a URL names.
func balancerClient(t *testing.T, s *Simulator, dial string) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	authority, err := s.CertificateAuthority()
	if err != nil || !roots.AppendCertsFromPEM(authority) {
		t.Fatalf("the authority is %q, %v", authority, err)
	}
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if _, port, err := net.SplitHostPort(address); dial != "" && err == nil {
				address = net.JoinHostPort(dial, port)
			}
			return s.DialLoadBalancer(ctx, network, address)
		},
	}}
}

func TestClientsDialLoadBalancersInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newELBFixture(t, s)
		f.register(t, f.group, "10.0.0.1")
		must(f.client.CreateListener(t.Context(), &elb.CreateListenerInput{
			LoadBalancerArn: &f.balancer, Port: aws.Int32(443), Protocol: types.ProtocolEnumHttps, DefaultActions: forwardTo(f.group),
			Certificates: []types.Certificate{{CertificateArn: issuedCertificate(t, s, "*.example.com")}},
		}))(t)
		time.Sleep(24 * time.Hour)
		client := balancerClient(t, s, f.dnsName)
		defer client.CloseIdleConnections()
		for _, url := range []string{"http://shop.example.com/", "https://shop.example.com/", "https://shop.example.com/again", "https://other.example.org/"} {
			response, err := client.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			if err != nil || string(body) != "10.0.0.1:8080\n" {
				t.Errorf("%s: %q, %v", url, body, err)
			}
			_ = response.Body.Close()
			if name := strings.Split(url, "/")[2]; response.TLS != nil && response.TLS.PeerCertificates[0].VerifyHostname(name) != nil {
				t.Errorf("the certificate is for %v", response.TLS.PeerCertificates[0].DNSNames)
			}
		}
		_, err := client.Get("http://shop.example.com:8080/")
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a port without a listener: %v", err)
		}
		var notFound *net.DNSError
		if _, err := balancerClient(t, s, "").Get("http://shop.example.com/"); !errors.As(err, &notFound) || !notFound.IsNotFound {
			t.Errorf("a host that is no load balancer: %v", err)
		}
		must(f.client.DeleteListener(t.Context(), &elb.DeleteListenerInput{ListenerArn: &f.listener}))(t)
		if _, err := client.Get("http://shop.example.com/"); err == nil {
			t.Error("a deleted listener answers")
		}
	})
}

func TestASeededBalancerServesTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := &elbFixture{client: elb.NewFromConfig(rootConfig(t, s))}
		made := must(seed.Balancer{Name: "shop", Port: 8443, TLS: true, CheckSeconds: 5}.Create(t.Context(), f.client))(t)
		f.register(t, made.TargetGroup, "10.0.0.1")
		time.Sleep(time.Minute)
		client := balancerClient(t, s, made.DNSName)
		defer client.CloseIdleConnections()
		response, err := client.Get("https://shop.example.com:8443/")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK || response.TLS == nil {
			t.Errorf("%d, TLS %v", response.StatusCode, response.TLS)
		}
	})
}

func TestTheLoadBalancersCertificateAuthorityIsServed(t *testing.T) {
	s := New(Options{})
	server := httptest.NewServer(s)
	defer server.Close()
	response, err := http.Get(server.URL + "/_sim/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	want := must(s.CertificateAuthority())(t)
	if string(body) != string(want) || response.Header.Get("Content-Type") != "application/x-pem-file" || !x509.NewCertPool().AppendCertsFromPEM(body) {
		t.Errorf("%s %q", response.Header.Get("Content-Type"), body)
	}
}

func TestLoadBalancersListenOnAddressesOfTheirOwn(t *testing.T) {
	s := New(Options{Speed: 1000, LoadBalancerAddresses: true})
	f := newELBFixture(t, s)
	if f.dnsName != "127.80.0.1" {
		t.Fatalf("it is called %s", f.dnsName)
	}
	f.register(t, f.group, "10.0.0.1")
	free := must(net.Listen("tcp", "127.80.0.1:0"))(t)
	port := free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.ListenForLoadBalancers(ctx, func(text string) { t.Log(text) })
	}()
	must(f.client.ModifyListener(t.Context(), &elb.ModifyListenerInput{
		ListenerArn: &f.listener, Port: aws.Int32(int32(port)), Protocol: types.ProtocolEnumHttps,
		Certificates: []types.Certificate{{CertificateArn: issuedCertificate(t, s, "*.example.com")}},
	}))(t)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(must(s.CertificateAuthority())(t))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
	url := "https://" + net.JoinHostPort(f.dnsName, (&net.TCPAddr{Port: port}).String()[1:])
	for body := ""; body != "10.0.0.1:8080\n"; {
		if t.Context().Err() != nil {
			t.Fatal(t.Context().Err())
		}
		response, err := client.Get(url)
		if err != nil {
			if !errors.Is(err, syscall.ECONNREFUSED) {
				t.Fatal(err)
			}
			continue
		}
		read, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		body = string(read)
	}
	cancel()
	<-done
	if _, err := client.Get(url); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after the end: %v", err)
	}
}

func TestAPortThatIsTakenIsReported(t *testing.T) {
	s := New(Options{LoadBalancerAddresses: true})
	taken := must(net.Listen("tcp", "127.80.0.1:0"))(t)
	defer taken.Close()
	f := newELBFixture(t, s)
	must(f.client.ModifyListener(t.Context(), &elb.ModifyListenerInput{ListenerArn: &f.listener, Port: aws.Int32(int32(taken.Addr().(*net.TCPAddr).Port))}))(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.ListenForLoadBalancers(ctx, func(text string) {
		if !strings.HasPrefix(text, "load balancer 127.80.0.1 does not listen on port ") || !strings.Contains(text, "address already in use") {
			t.Errorf("it reports %q", text)
		}
		cancel()
	})
}

func TestTheAdminAPISetsTheHealthOfATarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newELBFixture(t, s)
		f.register(t, f.group, "10.0.0.1")
		put := func(document string) (int, string) {
			r := httptest.NewRequest(http.MethodPut, "/_sim/targets", strings.NewReader(document))
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			return w.Code, w.Body.String()
		}
		for document, want := range map[string]string{
			`{"targetGroup":"` + f.group + `","id":"10.0.0.9"}`:                                          "not registered",
			`{"targetGroup":"arn:x","id":"10.0.0.1"}`:                                                    "no target group",
			`{"targetGroup":"` + f.group + `x","id":"10.0.0.1"}`:                                         "no target group",
			`{"targetGroup":"` + f.group + `","id":"10.0.0.1","healthy":true,"reason":"Target.Timeout"}`: "a healthy one none",
			`{"targetGroup":"` + f.group + `","id":"10.0.0.1","reason":"Target.Sleepy"}`:                 "Target.Timeout",
			`{"targetGroup":"` + f.group + `","id":"10.0.0.1","ready":true}`:                             "ready",
		} {
			if status, body := put(document); status != http.StatusBadRequest || !strings.Contains(body, want) {
				t.Errorf("%s: %d %s", document, status, body)
			}
		}
		if status, body := put(`{"targetGroup":"` + f.group + `","id":"10.0.0.1","port":8080,"healthy":false,"reason":"Target.FailedHealthChecks"}`); status != http.StatusOK {
			t.Fatal(status, body)
		}
		time.Sleep(time.Minute)
		want := []TargetState{{TargetGroup: f.group, ID: "10.0.0.1", Port: 8080, State: "unhealthy", Reason: "Target.FailedHealthChecks"}}
		if diff := cmp.Diff(want, s.Targets()); diff != "" {
			t.Error(diff)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/_sim/targets", nil))
		if !strings.Contains(w.Body.String(), `"state": "unhealthy"`) {
			t.Error(w.Body.String())
		}
		w = httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodDelete, "/_sim/targets", nil))
		time.Sleep(time.Minute)
		if got := s.Targets()[0].State; w.Code != http.StatusNoContent || got != "healthy" {
			t.Errorf("%d, and the target is %s", w.Code, got)
		}
	})
}
