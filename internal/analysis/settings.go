package analysis

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Settings is how to ask a Prometheus. Credentials are never part of it, only where they are.
type Settings struct {
	// Where it is: the address that --prometheus would have. No credentials in it.
	Address string `yaml:"address,omitempty"`
	// The names of the metrics that requests are counted by: http, the default, grpc, istio, or none for the queries alone.
	Preset string `yaml:"preset,omitempty" jsonschema:"enum=grpc,enum=http,enum=istio,enum=none"`
	// The label with the pod's name. pod if not there.
	PodLabel string `yaml:"podLabel,omitempty"`
	// The label with the namespace. namespace if not there.
	NamespaceLabel string `yaml:"namespaceLabel,omitempty"`
	// A file with a bearer token, read at each question. The environment variable KUBECTL_CANARY_PROMETHEUS_TOKEN has one too.
	TokenFile string `yaml:"tokenFile,omitempty"`
	// The user of basic authentication. The environment variable KUBECTL_CANARY_PROMETHEUS_USERNAME has it too.
	Username string `yaml:"username,omitempty"`
	// A file with that user's password, read at each question. The environment variable KUBECTL_CANARY_PROMETHEUS_PASSWORD has it too.
	PasswordFile string `yaml:"passwordFile,omitempty"`
	// How long to wait for an answer, such as 10s, the default.
	Timeout string `yaml:"timeout,omitempty"`
}

// ParseAddress reads the URL of a Prometheus. What is wrong is said without the URL, which may have a password in it.
func ParseAddress(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("invalid address of Prometheus: want a URL such as http://prometheus.example:9090")
	case u.User != nil:
		return nil, errors.New("the address of Prometheus has credentials in it, and commands are printed and recorded: give them by file or environment")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("invalid address of Prometheus: want no ? and no # in it")
	}
	return u, nil
}

// labelName is what PromQL takes for a label.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// check is nil for no settings.
func (s *Settings) check() error {
	if s == nil {
		return nil
	}
	if s.Address != "" {
		if _, err := ParseAddress(s.Address); err != nil {
			return fault{"prometheus.address", err}
		}
	}
	if _, known := presets[cmp.Or(s.Preset, defaultPreset)]; !known {
		return fault{"prometheus.preset", fmt.Errorf("invalid preset %q: want one of %s", s.Preset, strings.Join(slices.Sorted(maps.Keys(presets)), ", "))}
	}
	for _, l := range []struct{ field, label string }{{"podLabel", s.PodLabel}, {"namespaceLabel", s.NamespaceLabel}} {
		if l.label != "" && !labelName.MatchString(l.label) {
			return fault{"prometheus." + l.field, fmt.Errorf("invalid label %q", l.label)}
		}
	}
	if s.PasswordFile != "" && s.Username == "" {
		return fault{"prometheus.passwordFile", errors.New("there is no username beside it")}
	}
	if s.TokenFile != "" && s.Username != "" {
		return fault{"prometheus.tokenFile", errors.New("there is a username too: want one of them")}
	}
	if _, err := s.timeout(); err != nil {
		return fault{"prometheus.timeout", err}
	}
	return nil
}

func (s *Settings) timeout() (time.Duration, error) {
	d, err := time.ParseDuration(cmp.Or(s.Timeout, "10s"))
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("invalid duration %q: want one such as 10s", s.Timeout)
	}
	return d, nil
}
