package test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-canary/kubectl-canary/test/patience"
	"github.com/kubectl-canary/kubectl-canary/test/process"
	"github.com/kubectl-canary/kubectl-canary/test/request"
)

// proxy stands between the plugin and the API server: plain HTTP on this machine on one side, a certificate on the other,
// the administrator's for all but the plugin. It writes down what the plugin asks for, and may do something around a write.
type proxy struct {
	agent  string // what the User-Agent of the requests that it sees begins with
	server *httptest.Server
	plugin *httputil.ReverseProxy
	others *httputil.ReverseProxy
	closed chan struct{}

	mu     sync.Mutex
	log    []string // writes and notes, in order
	counts map[string]int
	leases map[string]string // what each says, but for the time
	// around is called for each write of the plugin, with a function that passes it on and answers it.
	around func(w http.ResponseWriter, r *http.Request, name string, pass func(http.ResponseWriter))
}

// newProxy starts a proxy that passes the plugin's requests on as those of a user.
func newProxy(user string) (p *proxy, err error) {
	p = &proxy{agent: "kubectl-canary/", counts: map[string]int{}, leases: map[string]string{}, closed: make(chan struct{})}
	if p.plugin, err = proxyAs(user); err != nil {
		return nil, err
	}
	if p.others, err = proxyAs(admin); err != nil {
		return nil, err
	}
	p.server = httptest.NewServer(p)
	return p, nil
}

// proxyAs passes requests on as those of a user.
func proxyAs(user string) (*httputil.ReverseProxy, error) {
	config, err := clientcmd.BuildConfigFromFlags("", cluster.users[user])
	if err != nil {
		return nil, err
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		return nil, err
	}
	return &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1, // a watch event is passed on at once
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "the proxy of the tests: "+err.Error(), http.StatusBadGateway)
		},
	}, nil
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.UserAgent(), p.agent) {
		p.others.ServeHTTP(w, r)
		return
	}
	verb, object := request.Describe(r)
	name := verb + " " + object
	says := leaseOf(r)
	p.mu.Lock()
	if says == "" || says != p.leases[object] { // how often a lock is renewed tells how slow the machine is
		p.counts[request.Kind(object)+" "+verb]++
		p.leases[object] = says
	}
	writes := request.Writes(verb, object)
	if writes {
		p.log = append(p.log, name)
	}
	around := p.around
	p.mu.Unlock()
	if writes && around != nil {
		around(w, r, name, func(w http.ResponseWriter) { p.plugin.ServeHTTP(w, r) })
		return
	}
	p.plugin.ServeHTTP(w, r)
}

// leaseOf is what a write of a Lease makes it say, but for the time; empty of another request.
func leaseOf(r *http.Request) string {
	if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/leases/") {
		return ""
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return ""
	}
	var l coordinationv1.Lease
	if _, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, &l); err != nil {
		return ""
	}
	l.Spec.RenewTime = nil
	return l.Spec.String() + fmt.Sprint(l.Annotations)
}

func (p *proxy) note(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, line)
}

func (p *proxy) setAround(around func(http.ResponseWriter, *http.Request, string, func(http.ResponseWriter))) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.around = around
}

// proxy: from now on commands reach the API server through a proxy that writes down what the plugin writes.
func cmdProxy(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 0 {
		ts.Fatalf("usage: proxy")
	}
	s := of(ts)
	p, err := newProxy(ts.Getenv("CANARY_AS"))
	ts.Check(err)
	ts.Defer(p.close)
	s.proxy, s.direct = p, ts.Getenv("KUBECONFIG")
	file := ts.MkAbs(".proxied")
	ts.Check(cluster.kubeconfigFor(admin, file, s.namespace, p.server.URL))
	ts.Setenv("KUBECONFIG", file)
}

// close breaks the connections that are still open, such as a watch whose client is gone, and ends what is run meanwhile.
func (p *proxy) close() {
	close(p.closed)
	p.server.CloseClientConnections()
	p.server.Close()
}

// writes: prints what the plugin has written since the last time.
func cmdWrites(ts *testscript.TestScript, _ bool, args []string) {
	p := of(ts).proxy
	if len(args) != 0 || p == nil {
		ts.Fatalf("usage: proxy, and later writes")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.log {
		_, _ = ts.Stdout().Write([]byte(line + "\n"))
	}
	_ = ts.Stderr() // stands for nothing, so that an assertion on it does not see an older one
	p.log = nil
}

// requests: prints what the plugin has asked for since the last time, and how often.
func cmdRequests(ts *testscript.TestScript, _ bool, args []string) {
	p := of(ts).proxy
	if len(args) != 0 || p == nil {
		ts.Fatalf("usage: proxy, and later requests")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(p.counts)) {
		fmt.Fprintf(ts.Stdout(), "%3d %s\n", p.counts[name], name)
	}
	p.counts, p.log = map[string]int{}, nil
}

// saw WRITE: the plugin does the write, or has done it.
func cmdSaw(ts *testscript.TestScript, _ bool, args []string) {
	p := of(ts).proxy
	if len(args) != 1 || p == nil {
		ts.Fatalf("usage: proxy, and later saw WRITE")
	}
	ts.Check(patience.Until(func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !slices.Contains(p.log, args[0]) {
			return fmt.Errorf("no %s among %q", args[0], p.log)
		}
		return nil
	}))
}

// before-write WRITE COMMAND...: when the plugin is about to do the write, such as 'PATCH deployments/auth-v1/scale', the
// command runs first, once.
func cmdBeforeWrite(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts)
	if len(args) < 2 || s.proxy == nil {
		ts.Fatalf("usage: proxy, and later before-write WRITE COMMAND...")
	}
	run := s.command(ts, args[1:], "KUBECONFIG="+s.direct)
	var once sync.Once
	s.proxy.setAround(func(w http.ResponseWriter, _ *http.Request, name string, pass func(http.ResponseWriter)) {
		if name == args[0] {
			once.Do(func() { s.meddle(run) })
		}
		pass(w)
	})
}

// meddle runs a command, and notes it among the writes.
func (s *script) meddle(run *exec.Cmd) {
	s.proxy.note("(" + strings.Join(run.Args, " ") + ")")
	var out process.Text
	run.Stdout, run.Stderr = &out, &out
	err := run.Start()
	if err == nil {
		ended := make(chan struct{})
		go func() {
			select {
			case <-s.proxy.closed:
				_ = run.Process.Kill()
			case <-ended:
			}
		}()
		err = run.Wait()
		close(ended)
	}
	if err != nil {
		s.proxy.note(err.Error() + "\n" + out.String())
	}
}
