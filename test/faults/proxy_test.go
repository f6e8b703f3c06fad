package faults

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-canary/kubectl-canary/test/request"
)

// proxy stands between one client and the API server, with TLS and HTTP/2 on both sides. It passes on what no rule is about,
// as requests of a user, and writes everything down.
type proxy struct {
	server *httptest.Server
	line   *line
	target *httputil.ReverseProxy

	mu    sync.Mutex
	rules []*rule
	log   []string // requests and notes, in order
	calls int
	at    func(n int) fault // what the n-th request meets, from 1; nil for the rules
}

// rule says which requests meet a fault: of those that match, from the first-th on, as many as times says; 0 is all.
type rule struct {
	match        *regexp.Regexp // of names such as "PATCH deployments/auth-v1/scale"
	first, times int
	do           fault

	seen, met int
}

// call is one request on its way.
type call struct {
	*proxy
	w http.ResponseWriter
	r *http.Request
}

// fault does something to a call instead of passing it on.
type fault func(c *call)

type connKey struct{}

// newProxy starts a proxy for a user, which ends with the test.
func newProxy(t testing.TB, user string) *proxy {
	t.Helper()
	p := &proxy{}
	config := rest.CopyConfig(cluster.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user}
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	p.target = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Del("Authorization")
		},
		Transport:     transport,
		FlushInterval: -1, // a watch event is passed on at once
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	p.server = httptest.NewUnstartedServer(p)
	p.line = &line{Listener: p.server.Listener}
	p.server.Listener = p.line
	p.server.EnableHTTP2 = true
	p.server.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that were killed
	p.server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) }
	p.server.StartTLS()
	t.Cleanup(func() {
		p.line.close()
		p.server.CloseClientConnections()
		p.server.Close()
	})
	return p
}

// kubeconfig writes one that leads to the proxy, with the proxy's own authority and nothing that the API server would know.
func (p *proxy) kubeconfig(t testing.TB, file, namespace string) {
	t.Helper()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.server.Certificate().Raw})
	config := clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"proxy": {Server: p.server.URL, CertificateAuthorityData: ca}},
		Contexts:       map[string]*clientcmdapi.Context{"proxy": {Cluster: "proxy", AuthInfo: "proxy", Namespace: namespace}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"proxy": {Token: "any"}}, // without one kubectl would ask
		CurrentContext: "proxy",
	}
	if err := clientcmd.WriteToFile(config, file); err != nil {
		t.Fatal(err)
	}
}

// set replaces the rules.
func (p *proxy) set(rules ...*rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules, p.at = rules, nil
}

// begin forgets what was asked, and replaces what requests meet by their number.
func (p *proxy) begin(at func(n int) fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules, p.at, p.log, p.calls = nil, at, nil, 0
}

// after are the requests since a note.
func (p *proxy) after(note string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.log, note)
	if i < 0 {
		return nil
	}
	return slices.Clone(p.log[i+1:])
}

func (p *proxy) note(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, line)
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	verb, object := request.Describe(r)
	name := verb + " " + object
	p.mu.Lock()
	p.calls++
	p.log = append(p.log, name)
	do := p.faultFor(name)
	if p.at != nil {
		do = p.at(p.calls)
	}
	p.mu.Unlock()
	if do == nil {
		do = (*call).pass
	}
	do(&call{p, w, r})
}

// faultFor counts a request, and returns what it meets; nil for none.
func (p *proxy) faultFor(name string) fault {
	var do fault
	for _, r := range p.rules {
		if !r.match.MatchString(name) {
			continue
		}
		r.seen++
		if do == nil && r.seen >= max(r.first, 1) && (r.times == 0 || r.met < r.times) {
			r.met++
			do = r.do
		}
	}
	return do
}

// met is how many requests have met a fault.
func (p *proxy) met() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.rules {
		n += r.met
	}
	return n
}

// requests are those so far, and the notes.
func (p *proxy) requests() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("%d requests:\n  %s", p.calls, strings.Join(p.log, "\n  "))
}

// on is a rule about all requests whose names match.
func on(pattern string, do fault) *rule { return &rule{match: regexp.MustCompile(pattern), do: do} }

// from lets a rule begin with the n-th match.
func (r *rule) from(n int) *rule { r.first = n; return r }

// only lets a rule end after n matches.
func (r *rule) only(n int) *rule { r.times = n; return r }
