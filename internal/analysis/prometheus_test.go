package analysis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fake answers queries like Prometheus' HTTP API; the answers are in the order of the queries.
type fake struct {
	t       *testing.T
	answers []any // data of a success, or a function that answers
	asked   []string
	header  http.Header
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/sub/api/v1/query" || r.FormValue("time") != "" {
		f.t.Errorf("%s %s", r.URL.Path, r.Form)
	}
	f.asked, f.header = append(f.asked, r.FormValue("query")), r.Header
	if len(f.answers) == 0 {
		http.Error(w, "nothing is left", http.StatusTeapot)
		return
	}
	next := f.answers[0]
	f.answers = f.answers[1:]
	if answer, ok := next.(func(http.ResponseWriter)); ok {
		answer(w)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": next})
}

func (f *fake) prometheus(s Settings, env ...string) *Prometheus {
	f.t.Helper()
	server := httptest.NewServer(f)
	f.t.Cleanup(server.Close)
	s.Address = server.URL + "/sub/"
	p, err := NewPrometheus(s, func(name string) string {
		for _, e := range env {
			if value, ok := strings.CutPrefix(e, name+"="); ok {
				return value
			}
		}
		return ""
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

// series is an answer: pairs of labels, as in PromQL, and a value.
func series(all ...string) map[string]any {
	result := []any{}
	for i := 0; i < len(all); i += 2 {
		metric := map[string]string{}
		for _, pair := range strings.Split(all[i], ",") {
			if name, value, ok := strings.Cut(pair, "="); ok {
				metric[name] = value
			}
		}
		result = append(result, map[string]any{"metric": metric, "value": []any{1700000000.5, all[i+1]}})
	}
	return map[string]any{"resultType": "vector", "result": result}
}

func fails(code int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

var auth2 = Values{Namespace: "messenger", Service: "auth", Version: "v2", Deployment: "auth-v2", Pods: []string{"auth-v2-a", "auth-v2.b"}, Window: 90*time.Second + 1}

// named are queries for several metrics, each with the series that it has, in one.
func named(query string, metrics ...string) string {
	var all []string
	for i := 0; i < len(metrics); i += 2 {
		all = append(all, fmt.Sprintf(`label_replace(%s, "metric", "%s", "", "")`, fmt.Sprintf(query, metrics[i+1]), metrics[i]))
	}
	return strings.Join(all, "\nor ")
}

// Of several metrics that a Prometheus has, one counts: the first that tells the status, else the first; as on the pods' own pages.
func TestPrometheusMetrics(t *testing.T) {
	for name, c := range map[string]struct {
		requests, times map[string]any
		source          string
		n, errors, most float64
	}{
		"the first": {
			series("metric=http_requests_total,code=200", "10", "metric=http_requests_total,code=500", "1", "metric=http_request_duration_seconds,status=200", "11"),
			series("metric=http_request_duration_seconds,le=1", "7", "metric=http_request_duration_seconds,le=+Inf", "7"),
			"http_requests_total", 11, 1, 7,
		},
		"the one with a status": {
			series("metric=http_requests_total", "10", "metric=http_server_request_duration_seconds,http_response_status_code=503", "4"),
			series("metric=http_server_requests_seconds,le=+Inf", "4", "metric=http_request_duration_seconds,le=+Inf", "9"),
			"http_server_request_duration_seconds", 4, 4, 4,
		},
		"none with one": {series("metric=http_requests_received_total", "10", "metric=http_request_duration_seconds", "4"), series(), "http_requests_received_total", 10, math.NaN(), 0},
	} {
		f := &fake{t: t, answers: []any{c.requests, c.times}}
		got := f.prometheus(Settings{}).Traffic(t.Context(), auth2)
		if got.Source != "Prometheus: "+c.source || got.Requests != c.n || got.Problem != "" || got.Latency.Total() != c.most ||
			got.Errors != c.errors && !(math.IsNaN(got.Errors) && math.IsNaN(c.errors)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestPrometheusTraffic(t *testing.T) {
	pods := `{namespace="messenger",pod=~"auth-v2-a|auth-v2\\.b"`
	for _, c := range []struct {
		name     string
		settings Settings
		answers  []any
		asked    []string
		want     Traffic
	}{
		{
			"http", Settings{},
			[]any{
				series("code=200", "90.5", "code=503", "4", "status=5xx", "1", "status_code=404", "5"),
				series("le=+Inf", "100", "le=0.1", "90", "le=0.5", "89.9"),
			},
			[]string{
				named("sum by (code,status,status_code,http_status,http_status_code,http_response_status_code,response_code) (increase(%s"+pods+"}[91s]))",
					"http_requests_total", "http_requests_total", "http_server_requests_total", "http_server_requests_total", "http_requests_received_total", "http_requests_received_total",
					"http_server_requests_seconds", "http_server_requests_seconds_count", "http_server_request_duration_seconds", "http_server_request_duration_seconds_count",
					"http_request_duration_seconds", "http_request_duration_seconds_count"),
				named("sum by (le) (increase(%s"+pods+"}[91s]))", "http_server_requests_seconds", "http_server_requests_seconds_bucket",
					"http_server_request_duration_seconds", "http_server_request_duration_seconds_bucket", "http_request_duration_seconds", "http_request_duration_seconds_bucket"),
			},
			Traffic{Source: "Prometheus: http_requests_total", Requests: 100.5, Errors: 5, Latency: Histogram{{.1, 90}, {.5, 90}, {math.Inf(1), 100}}},
		},
		{
			"grpc", Settings{Preset: "grpc", PodLabel: "kubernetes_pod_name", NamespaceLabel: "ns"},
			[]any{series("grpc_code=OK", "10", "grpc_code=NotFound", "2", "grpc_code=Unavailable", "3"), series()},
			[]string{`sum by (grpc_code) (increase(grpc_server_handled_total{ns="messenger",kubernetes_pod_name=~"auth-v2-a|auth-v2\\.b"}[91s]))`, `sum by (le) (increase(grpc_server_handling_seconds_bucket{ns="messenger",kubernetes_pod_name=~"auth-v2-a|auth-v2\\.b"}[91s]))`},
			Traffic{Source: "Prometheus: grpc_server_handled_total", Requests: 15, Errors: 3},
		},
		{
			"istio", Settings{Preset: "istio"},
			[]any{series("response_code=0", "1", "response_code=200", "10", "response_code=500", "2"), series("le=250", "7", "le=+Inf", "13")},
			[]string{`sum by (response_code) (increase(istio_requests_total` + pods + `,reporter="destination"}[91s]))`, `sum by (le) (increase(istio_request_duration_milliseconds_bucket` + pods + `,reporter="destination"}[91s]))`},
			Traffic{Source: "Prometheus: istio_requests_total", Requests: 13, Errors: 3, Latency: Histogram{{.25, 7}, {math.Inf(1), 13}}},
		},
	} {
		f := &fake{t: t, answers: c.answers}
		got := f.prometheus(c.settings).Traffic(t.Context(), auth2)
		if diff := cmp.Diff(&c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.asked, f.asked); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	f := &fake{t: t}
	if got := f.prometheus(Settings{Preset: "none"}).Traffic(t.Context(), auth2); got != nil || f.asked != nil {
		t.Errorf("%+v, %q", got, f.asked)
	}
}

// Without figures there is a reason, in one line, and so no verdict.
func TestPrometheusWithoutFigures(t *testing.T) {
	ok := series("code=200", "100")
	for name, c := range map[string]struct {
		answers []any
		says    string
	}{
		"nothing":          {[]any{series()}, "Prometheus has no http_requests_total, http_server_requests_total, "},
		"NaN":              {[]any{series("code=200", "NaN")}, "Prometheus has no count of http_requests_total"},
		"infinite":         {[]any{series("code=200", "+Inf")}, "has no count"},
		"negative":         {[]any{series("code=200", "-1")}, "has no count"},
		"a NaN bucket":     {[]any{ok, series("le=1", "NaN")}, "buckets in http_server_requests_seconds_bucket that are none"},
		"a bucket of what": {[]any{ok, series("le=x", "1")}, "that are none"},
		"a scalar":         {[]any{map[string]any{"resultType": "scalar", "result": []any{1, "1"}}}, "no list of series"},
		"no result":        {[]any{map[string]any{}}, "Prometheus"},
		"null":             {[]any{nil}, "Prometheus"},
		"401":              {[]any{fails(401, "secret")}, "Prometheus wants other credentials, or any (401)"},
		"403":              {[]any{fails(403, ""), fails(403, "")}, "Prometheus forbids to ask (403)"},
		"404":              {[]any{fails(404, "<html>")}, "Prometheus fails: client error: 404"},
		"500":              {[]any{fails(500, "")}, "Prometheus fails: server error: 500"},
		"a login page":     {[]any{fails(302, "")}, "Prometheus fails: bad response code 302"},
		"a page":           {[]any{fails(200, "<html>")}, "what answers is no Prometheus"},
		"a bad query":      {[]any{fails(400, `{"status":"error","errorType":"bad_data","error":"parse error:\nunexpected"}`)}, "does not understand the query: parse error: unexpected"},
		"too much work":    {[]any{fails(422, `{"status":"error","errorType":"execution","error":"too many samples"}`)}, "Prometheus fails: too many samples"},
		"half the data":    {[]any{fails(200, `{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["store is away"]}`)}, "Prometheus warns of its answer: store is away"},
		"200 and an error": {[]any{fails(200, `{"status":"error","errorType":"execution","error":"query timed out"}`)}, "Prometheus fails: query timed out"},
		"too much":         {[]any{fails(200, strings.Repeat(" ", mostAnswer+1))}, "more than 16Mi"},
		"hung up": {[]any{func(w http.ResponseWriter) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
		}}, "Prometheus does not answer: EOF"},
	} {
		f := &fake{t: t, answers: c.answers}
		got := f.prometheus(Settings{}).Traffic(t.Context(), auth2)
		if !strings.Contains(got.Problem, c.says) || strings.ContainsAny(got.Problem, "\n\t") || strings.Contains(got.Problem, "http://") || strings.Contains(got.Problem, "secret") {
			t.Errorf("%s: %q, want %q", name, got.Problem, c.says)
		}
		if r := policy().Judge(seen(1, func(s *Seen) { s.Users = got }), nil, true); Combine(r) != Inconclusive {
			t.Errorf("%s: %s", name, Combine(r))
		}
	}
	if got := (&fake{t: t}).prometheus(Settings{}).Traffic(t.Context(), Values{Namespace: "messenger"}); got.Problem != "there are no pods to ask about" {
		t.Errorf("%+v", got)
	}
}

// A hint on style is no doubt about the figures.
func TestPrometheusInfo(t *testing.T) {
	f := &fake{t: t, answers: []any{fails(200, `{"status":"success","data":{"resultType":"scalar","result":[1,"7"]},"warnings":["PromQL info: metric might not be a counter"]}`)}}
	if n, err := f.prometheus(Settings{}).number(t.Context(), "x"); err != nil || n != 7 {
		t.Errorf("%v, %v", n, err)
	}
}

// A Prometheus that hangs, or is not there, costs its time-out and no more.
func TestPrometheusTimeout(t *testing.T) {
	block := make(chan struct{})
	f := &fake{t: t, answers: []any{func(http.ResponseWriter) { <-block }, func(http.ResponseWriter) { <-block }}}
	p := f.prometheus(Settings{Timeout: "50ms"})
	t.Cleanup(func() { close(block) }) // before the server waits for its answers
	if err := p.Ready(t.Context()); err == nil || err.Error() != "Prometheus has not answered within 50ms" {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Ready(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	gone, err := NewPrometheus(Settings{Address: "http://127.0.0.1:1"}, os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "Prometheus does not answer: ") || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}
}

func TestPrometheusFigures(t *testing.T) {
	text := func(s string) Template {
		t, _ := ParseTemplate(s)
		return t
	}
	queries := []Query{{Name: "a", Text: text(`sum(queue{pod=~"{{.Pods}}"})`)}, {Name: "b", Text: text("b")}, {Name: "c", Text: text("c")}, {Name: "d", Text: text("d")}, {Name: "e", Text: text("e")}}
	f := &fake{t: t, answers: []any{
		series("", "7.5"), map[string]any{"resultType": "scalar", "result": []any{1, "NaN"}}, series(), series("a=b", "1", "a=c", "2"),
		map[string]any{"resultType": "string", "result": []any{1, "x"}},
	}}
	got := f.prometheus(Settings{Preset: "none"}).Figures(t.Context(), queries, auth2)
	for i := range got {
		if got[i].Source != "Prometheus" {
			t.Errorf("%+v", got[i])
		}
		got[i].Source = ""
	}
	want := []Figure{
		{Name: "a", Value: 7.5},
		{Name: "b", Value: math.NaN()},
		{Name: "c", Problem: "Prometheus has no data for it"},
		{Name: "d", Problem: "Prometheus has 2 series for it: want one, by sum() say"},
		{Name: "e", Problem: "the answer of Prometheus is no number, nor series of them"},
	}
	sameNaN := cmp.Comparer(func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) })
	if diff := cmp.Diff(want, got, sameNaN); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if f.asked[0] != `sum(queue{pod=~"auth-v2-a|auth-v2\\.b"})` {
		t.Errorf("%q", f.asked)
	}
}

// Credentials are shown to the server, from wherever they are, and to nobody else.
func TestPrometheusCredentials(t *testing.T) {
	folder := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(folder, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	token, password := file("token", "secret1\n"), file("password", "secret2\n")
	env := []string{envToken + "=secret3", envUsername + "=ann", envPassword + "=secret4"}
	for name, c := range map[string]struct {
		settings Settings
		env      []string
		want     string
	}{
		"none":             {Settings{}, nil, ""},
		"token file":       {Settings{TokenFile: token}, env, "Bearer secret1"},
		"password file":    {Settings{Username: "bob", PasswordFile: password}, env, "Basic Ym9iOnNlY3JldDI="},
		"password of env":  {Settings{Username: "bob"}, env, "Basic Ym9iOnNlY3JldDQ="},
		"token of env":     {Settings{}, env, "Bearer secret3"},
		"user of env":      {Settings{}, env[1:], "Basic YW5uOnNlY3JldDQ="},
		"a user of no env": {Settings{Username: "bob"}, nil, "Basic Ym9iOg=="},
	} {
		f := &fake{t: t, answers: []any{series("", "1")}}
		if err := f.prometheus(c.settings, c.env...).Ready(t.Context()); err != nil || f.header.Get("Authorization") != c.want {
			t.Errorf("%s: %q, %v", name, f.header.Get("Authorization"), err)
		}
	}
	// A token is read again, and one that is gone is a reason.
	f := &fake{t: t, answers: []any{series("", "1")}}
	p := f.prometheus(Settings{TokenFile: token})
	file("token", "secret5")
	if err := p.Ready(t.Context()); err != nil || f.header.Get("Authorization") != "Bearer secret5" {
		t.Errorf("%q, %v", f.header.Get("Authorization"), err)
	}
	file("token", "secret\nsecret")
	if err := p.Ready(t.Context()); err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "more than one line") {
		t.Error(err)
	}
	for name, s := range map[string]Settings{
		"more than one line": {TokenFile: token},
		"is empty":           {TokenFile: file("empty", "\n")},
		"no such file":       {TokenFile: filepath.Join(folder, "none")},
		"no username":        {PasswordFile: password},
		"want one of them":   {Username: "bob", TokenFile: password},
		"invalid preset":     {Preset: "secret"},
		"invalid duration":   {Timeout: "-1s"},
		"invalid label":      {PodLabel: `a"`},
		"invalid address":    {Address: "prometheus:9090"},
	} {
		if s.Address == "" {
			s.Address = "http://127.0.0.1:1"
		}
		if _, err := NewPrometheus(s, func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A redirect is not followed: credentials would go with it.
func TestPrometheusRedirect(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("it is asked with %q", r.Header) }))
	t.Cleanup(other.Close)
	f := &fake{t: t, answers: []any{func(w http.ResponseWriter) {
		w.Header().Set("Location", other.URL)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}}}
	if err := f.prometheus(Settings{Username: "bob"}).Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "307") {
		t.Error(err)
	}
}
