package analysis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	prometheusv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// Prometheus is asked over HTTP, without the cluster.
type Prometheus struct {
	api     prometheusv1.API
	timeout time.Duration
	presetQueries
}

// NewPrometheus is nothing but the settings; getenv is where credentials may be. Ready asks whether there is one.
func NewPrometheus(s Settings, getenv func(string) string) (*Prometheus, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if _, err := ParseAddress(s.Address); err != nil {
		return nil, err
	}
	auth, err := s.credentials(getenv)
	if err != nil {
		return nil, err
	}
	client, err := api.NewClient(api.Config{Address: s.Address, Client: &http.Client{
		Transport: &guarded{auth, api.DefaultRoundTripper},
		// To follow one would be to show the credentials to whom it names; a login page has no figures either.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}})
	if err != nil {
		return nil, err
	}
	timeout, err := s.timeout()
	return &Prometheus{api: prometheusv1.NewAPI(client), timeout: timeout, presetQueries: s.preset()}, err
}

// Ready says in one line why there would be no figures: nobody answers, or not to us.
func (p *Prometheus) Ready(ctx context.Context) error {
	_, err := p.ask(ctx, "vector(1)")
	return err
}

// Traffic is what users have sent to the pods of a version in the window that ends now, by the preset; nil with the preset none. Where
// there are no figures it says why. Errors are NaN where no series tells the status.
func (p *Prometheus) Traffic(ctx context.Context, v Values) *Traffic {
	if len(p.preset.requests) == 0 {
		return nil
	}
	t := &Traffic{Source: "Prometheus"}
	requests, times, err := p.queries(v)
	var answer model.Vector
	if err == nil {
		answer, err = p.vector(ctx, requests)
	}
	if err == nil {
		err = p.count(t, answer, v)
	}
	if err == nil {
		answer, err = p.vector(ctx, times)
	}
	if err == nil {
		t.Latency, err = p.histogram(answer)
	}
	if err != nil {
		t.Problem = err.Error()
	}
	return t
}

// Figures are the answers to queries of an analysis file, in their order.
func (p *Prometheus) Figures(ctx context.Context, queries []Query, v Values) []Figure {
	all := make([]Figure, len(queries))
	for i, q := range queries {
		all[i] = Figure{Name: q.Name, Source: "Prometheus"}
		text, err := q.Text.Render(v)
		if err == nil {
			all[i].Value, err = p.number(ctx, text)
		}
		if err != nil {
			all[i].Problem = err.Error()
		}
	}
	return all
}

var errAnswer = errors.New("the answer of Prometheus is no number, nor series of them")

// number is the answer to a query that comes to one.
func (p *Prometheus) number(ctx context.Context, query string) (float64, error) {
	value, err := p.ask(ctx, query)
	if err != nil {
		return 0, err
	}
	switch v := value.(type) {
	case *model.Scalar:
		return float64(v.Value), nil
	case model.Vector:
		switch {
		case len(v) == 0:
			return 0, errors.New("Prometheus has no data for it")
		case len(v) > 1:
			return 0, fmt.Errorf("Prometheus has %d series for it: want one, by sum() say", len(v))
		case v[0].Histogram == nil:
			return float64(v[0].Value), nil
		}
	}
	return 0, errAnswer
}

func (p *Prometheus) vector(ctx context.Context, query string) (model.Vector, error) {
	value, err := p.ask(ctx, query)
	if err != nil {
		return nil, err
	}
	v, ok := value.(model.Vector)
	if !ok {
		return nil, errors.New("the answer of Prometheus is no list of series")
	}
	return v, nil
}

// ask returns the answer, or in one line why there is none. The time is that of the server: ours may be another.
func (p *Prometheus) ask(ctx context.Context, query string) (model.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	value, warnings, err := p.api.Query(ctx, query, time.Time{}, prometheusv1.WithTimeout(p.timeout))
	// Some versions send hints on style as warnings.
	warnings = slices.DeleteFunc(warnings, func(text string) bool { return strings.HasPrefix(text, "PromQL info: ") })
	switch {
	case err == nil && len(warnings) > 0:
		return nil, errors.New("Prometheus warns of its answer: " + strings.Join(strings.Fields(warnings[0]), " "))
	case err == nil && value == nil:
		return nil, errors.New("Prometheus has sent no answer")
	}
	return value, p.why(err)
}

// why is what people need to know of an error: not the URL, and nothing of what was sent.
func (p *Prometheus) why(err error) error {
	var said *prometheusv1.Error
	var sent *url.Error
	var network net.Error
	var long *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout():
		return fmt.Errorf("Prometheus has not answered within %s", p.timeout)
	case errors.As(err, &long):
		return fmt.Errorf("Prometheus answers with more than %s", size(float64(long.Limit)))
	case errors.As(err, &said):
		return errors.New(explain(said))
	case errors.As(err, &sent):
		return errors.New("Prometheus does not answer: " + strings.Join(strings.Fields(sent.Err.Error()), " "))
	}
	return errAnswer
}

func explain(said *prometheusv1.Error) string {
	text := strings.Join(strings.Fields(said.Msg), " ")
	switch {
	case strings.HasSuffix(text, " 401"):
		return "Prometheus wants other credentials, or any (401)"
	case strings.HasSuffix(text, " 403"):
		return "Prometheus forbids to ask (403)"
	case said.Type == prometheusv1.ErrBadData:
		return "Prometheus does not understand the query: " + text
	case said.Type == prometheusv1.ErrBadResponse && !strings.HasPrefix(text, "bad response code"):
		return "what answers is no Prometheus: " + text
	}
	return "Prometheus fails: " + text
}
