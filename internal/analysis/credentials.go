package analysis

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// The environment variables that credentials may be in.
const (
	envToken    = "KUBECTL_CANARY_PROMETHEUS_TOKEN"
	envUsername = "KUBECTL_CANARY_PROMETHEUS_USERNAME"
	envPassword = "KUBECTL_CANARY_PROMETHEUS_PASSWORD"
)

// credentials says who asks. It has no method that would print them.
type credentials struct {
	username        string
	password, token func() (string, error)
	withBearer      bool
}

// credentials are those of the settings, else of the environment, else none. Files have to be there already.
func (s *Settings) credentials(getenv func(string) string) (*credentials, error) {
	given := func(value string) func() (string, error) { return func() (string, error) { return value, nil } }
	c := &credentials{}
	switch {
	case s.TokenFile != "":
		c.withBearer, c.token = true, secretIn(s.TokenFile)
	case s.PasswordFile != "":
		c.username, c.password = s.Username, secretIn(s.PasswordFile)
	case s.Username != "":
		c.username, c.password = s.Username, given(getenv(envPassword))
	case getenv(envToken) != "":
		c.withBearer, c.token = true, given(strings.TrimSpace(getenv(envToken)))
	case getenv(envUsername) != "":
		c.username, c.password = getenv(envUsername), given(getenv(envPassword))
	}
	return c, c.set(http.Header{})
}

// secretIn reads a file each time: what mounts tokens renews them.
func secretIn(name string) func() (string, error) {
	return func() (string, error) {
		text, err := os.ReadFile(name)
		return strings.TrimSpace(string(text)), err
	}
}

// set adds the header. A line break in a secret would make an error of it that shows the secret.
func (c *credentials) set(h http.Header) error {
	secret, scheme := c.password, "password"
	if c.withBearer {
		secret, scheme = c.token, "token"
	}
	if secret == nil {
		return nil
	}
	value, err := secret()
	switch {
	case err != nil:
		return fmt.Errorf("the %s for Prometheus: %w", scheme, err)
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("the %s for Prometheus has more than one line, or control characters", scheme)
	case c.withBearer && value == "":
		return errors.New("the token for Prometheus is empty")
	}
	if c.withBearer {
		h.Set("Authorization", "Bearer "+value)
		return nil
	}
	r := http.Request{Header: h}
	r.SetBasicAuth(c.username, value)
	return nil
}

// mostAnswer bounds what is read of an answer, in bytes.
const mostAnswer = 16 << 20

// guarded shows credentials, and does not read without end.
type guarded struct {
	auth *credentials
	next http.RoundTripper
}

func (g *guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if err := g.auth.set(r.Header); err != nil {
		return nil, err
	}
	answer, err := g.next.RoundTrip(r)
	if err == nil {
		answer.Body = http.MaxBytesReader(nil, answer.Body, mostAnswer)
	}
	return answer, err
}
