// Package load sends requests on a fixed schedule, whatever the answers take, and tells what became of each.
package load

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"time"
)

// Bounds of a run; what a run keeps of each request is kept in memory.
const (
	maxRate     = 5000
	maxFor      = 30 * time.Minute
	maxRequests = 1_000_000
	maxTimeout  = time.Minute
)

// Options say what to send, and how fast.
type Options struct {
	URL      string        // of plain HTTP, with an IP address: nothing else is dialled, not even for a name
	Rate     int           // requests that begin in a second
	For      time.Duration // from the first request to the end of the schedule
	Timeout  time.Duration // of a request, from its start to the last byte of the answer; connecting is part of it
	InFlight int           // requests at a time, at most
	// KeepAlive is the number of connections that requests take in turn; with 0 each request has a new one.
	KeepAlive int
}

// check returns the URL, or what is wrong with the options.
func (o Options) check() (*url.URL, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, err
	}
	if u.Port() == "" {
		u.Host += ":80"
	}
	address, err := netip.ParseAddrPort(u.Host)
	if err != nil || u.Scheme != "http" || u.User != nil || address.Port() == 0 {
		return nil, fmt.Errorf("%q is not http://IP:PORT/…", o.URL)
	}
	switch {
	case o.Rate < 1 || o.Rate > maxRate:
		return nil, fmt.Errorf("a rate of %d is not from 1 to %d requests a second", o.Rate, maxRate)
	case o.For <= 0 || o.For > maxFor:
		return nil, fmt.Errorf("%v is not a time up to %v", o.For, maxFor)
	case o.due(maxRequests) < o.For:
		return nil, fmt.Errorf("%d requests a second for %v are more than %d requests", o.Rate, o.For, maxRequests)
	case o.Timeout <= 0 || o.Timeout > maxTimeout:
		return nil, fmt.Errorf("a timeout of %v is not a time up to %v", o.Timeout, maxTimeout)
	case o.InFlight < 1:
		return nil, errors.New("at least one request has to be in flight")
	case o.KeepAlive < 0 || o.KeepAlive > maxRate:
		return nil, fmt.Errorf("%d connections are not from 0 to %d", o.KeepAlive, maxRate)
	}
	return u, nil
}

// due is when the ith request begins, from 0 and from the start of the run.
func (o Options) due(i int) time.Duration {
	return time.Duration(i) * time.Second / time.Duration(o.Rate)
}
