package printer

import (
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// chain is the way from a Deployment to the cause, each step further to the right than what it belongs to.
func (t Table) chain(links []canary.Link) []string {
	lines := make([]string, len(links))
	for i, l := range links {
		kind, name, _ := strings.Cut(l.Object, "/")
		line := l.Text
		switch {
		case l.Event != nil:
			line = Happening(*l.Event, t.Now)
		case l.Object != "":
			line = strings.ToLower(kind) + " " + name + ": " + l.Text
		}
		line = short(line)
		if !l.Since.IsZero() {
			line += " for " + t.age(l.Since)
		}
		lines[i] = strings.Repeat("  ", l.Depth+1) + line
	}
	return lines
}

// Happening is an Event of Kubernetes in one line.
func Happening(h canary.Happening, now time.Time) string {
	var about []string
	if h.Count > 1 {
		about = append(about, fmt.Sprintf("%d times", h.Count))
	}
	if !h.Last.IsZero() {
		about = append(about, Table{Now: now}.age(h.Last)+" ago")
	}
	line := "event " + h.Reason
	if len(about) > 0 {
		line += " (" + strings.Join(about, ", last ") + ")"
	}
	return short(line + ": " + strings.TrimSpace(h.Message))
}
