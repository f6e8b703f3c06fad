package test

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/kubectl-canary/kubectl-canary/test/markdown"
)

// asked is what a command asks the API server for.
type asked struct {
	requests int
	received int64 // bytes of the answers' bodies, as they came
}

// asks runs a command so many times through a proxy, which counts the last time: kubectl keeps what it has discovered.
func (b *bench) asks(ctx context.Context, times int, words []string) (a asked, err error) {
	p, err := newProxy(admin)
	if err != nil {
		return a, err
	}
	defer p.close()
	p.agent = "kubectl" // both
	var received atomic.Int64
	p.plugin.ModifyResponse = func(r *http.Response) error {
		r.Body = &counted{r.Body, &received}
		return nil
	}
	kubeconfig := filepath.Join(b.home, "proxied")
	if err := cluster.kubeconfigFor(admin, kubeconfig, "default", p.server.URL); err != nil {
		return a, err
	}
	for range times {
		received.Store(0)
		p.mu.Lock()
		clear(p.counts)
		p.mu.Unlock()
		if _, err := b.run(ctx, words, kubeconfig); err != nil {
			return a, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.counts {
		a.requests += n
	}
	a.received = received.Load()
	return a, nil
}

type counted struct {
	io.ReadCloser
	sum *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.sum.Add(int64(n))
	return n, err
}

// statusOfAll compares `status` of a large namespace with the least that kubectl needs for the same facts.
func (b *bench) statusOfAll(ctx context.Context) (string, error) {
	const n = 7
	canary := &subject{label: "`kubectl-canary status`", words: []string{"kubectl-canary", "status", "-n", b.large}}
	json := &subject{label: "`kubectl-canary status -o json`", words: append(canary.words[:4:4], "-o", "json")}
	through := &subject{label: "`kubectl canary status`", words: append([]string{"kubectl", "canary"}, canary.words[1:]...)}
	kubectl := &subject{label: "`kubectl get deployments,services,endpointslices -o json`", words: []string{
		"kubectl", "get", "deployments,services,endpointslices", "-n", b.large, "-o", "json",
	}}
	subjects := []*subject{canary, kubectl, json, through}
	if err := b.sideBySide(ctx, 1, n, subjects...); err != nil {
		return "", err
	}
	var out strings.Builder
	t := markdown.NewTable(&out, "", "wall", "CPU", "peak memory", "requests", "received")
	var requests int
	for _, s := range subjects {
		a, err := b.asks(ctx, 2, s.words)
		if err != nil {
			return "", err
		}
		if s == canary {
			requests = a.requests
		}
		t.Row(s.label, s.sample(wall).In("s"), s.sample(cpu).In("s"), s.sample(memory).In("MB"), strconv.Itoa(a.requests), megabytes(a.received))
	}
	ratio := func(of func(usage) float64) float64 { return canary.sample(of).Median / kubectl.sample(of).Median }
	goals(&out,
		goal{"wall time, of kubectl's", ratio(wall), 0.5},
		goal{"peak memory, of kubectl's", ratio(memory), 1},
		goal{"requests", float64(requests), 5})
	return out.String(), nil
}

// statusOfOne compares `status NAME` in a large namespace with the same where nothing else is.
func (b *bench) statusOfOne(ctx context.Context) (string, error) {
	const n = 15
	in := func(namespace, label string) *subject {
		return &subject{label: label, words: []string{"kubectl-canary", "status", serviceName(0), "-n", namespace}}
	}
	crowded := in(b.large, "beside "+strconv.Itoa(b.services-1)+" others")
	alone := in(b.small, "alone")
	if err := b.sideBySide(ctx, 1, n, crowded, alone); err != nil {
		return "", err
	}
	var out strings.Builder
	t := markdown.NewTable(&out, "`kubectl-canary status NAME`", "wall", "CPU", "requests", "received")
	for _, s := range []*subject{crowded, alone} {
		a, err := b.asks(ctx, 1, s.words)
		if err != nil {
			return "", err
		}
		t.Row(s.label, s.sample(wall).In("s"), s.sample(cpu).In("s"), strconv.Itoa(a.requests), megabytes(a.received))
	}
	goals(&out, goal{"wall time, of the same alone", crowded.sample(wall).Median / alone.sample(wall).Median, 1.5})
	return out.String(), nil
}
