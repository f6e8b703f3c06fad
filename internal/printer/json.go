package printer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// NewReleaseList builds the contract; command is as in Table.
func NewReleaseList(all []Status, command func(next, namespace string) string) ReleaseList {
	list := ReleaseList{APIVersion: APIVersion, Kind: listKind, Items: []Release{}}
	for _, s := range all {
		list.Items = append(list.Items, newRelease(s, command))
	}
	return list
}

func newRelease(s Status, command func(next, namespace string) string) Release {
	r := &s.Release
	out := Release{
		Namespace: r.Namespace, Name: r.Name, Services: []string{}, Phase: r.Phase(),
		Weight: Weight{Desired: optional(r.Desired()), Actual: optional(r.Actual()), Reachable: optional(r.Reachable())},
		Others: []Version{}, ForeignEndpoints: r.Foreign, Problems: []Problem{}, Outcome: s.Outcome,
	}
	for _, svc := range r.Services {
		out.Services = append(out.Services, svc.Name)
	}
	if r.Stable != nil {
		stable, second := newVersion(r.Stable), newVersion(r.Canary)
		out.Stable, out.Canary = &stable, &second
	}
	for i := range r.Others {
		out.Others = append(out.Others, newVersion(&r.Others[i]))
	}
	if r.Drain != "" {
		out.Drain = &Drain{Label: r.Drain}
	}
	if r.Record != nil {
		out.Baseline = &r.Record.Baseline
	}
	if c := r.Record.Last(); c != nil {
		verb, _, _ := strings.Cut(c.Command, " ")
		out.LastChange = &Change{Time: c.Time, By: c.By, From: c.From, To: c.To, Command: verb, Reason: c.Reason, Outcome: c.Outcome}
	}
	out.Migration = newMigration(s)
	for _, p := range s.Problems {
		q := Problem{Code: p.Code, Severity: p.Severity, Object: p.Object, Message: p.Message, Next: []string{}}
		if !p.Since.IsZero() {
			q.Since = &p.Since
		}
		for _, next := range p.Next {
			q.Next = append(q.Next, command(next, r.Namespace))
		}
		out.Problems = append(out.Problems, q)
	}
	return out
}

func newVersion(v *canary.Version) Version {
	d := &v.Deployment
	return Version{
		Version: v.Name, Deployment: d.Name, Replicas: d.Replicas, ReadyReplicas: d.ReadyPods,
		ReadyEndpoints: v.Serving, Dark: v.Dark, Images: append([]string{}, d.Images...),
	}
}

func optional(w canary.Weight, ok bool) *canary.Weight {
	if !ok {
		return nil
	}
	return &w
}

// JSON writes a value as kubectl does.
func JSON(w io.Writer, v any) error {
	b, err := escaped(v)
	if err == nil {
		_, err = w.Write(append(b, '\n'))
	}
	return err
}

// YAML writes a value as kubectl does. YAML has no way to escape all of the characters that JSON escapes: they are replaced.
func YAML(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	safe := func(r rune) rune {
		if hidden(r) {
			return '?'
		}
		return r
	}
	if b, err = yaml.JSONToYAML([]byte(strings.Map(safe, string(b)))); err == nil {
		_, err = w.Write(b)
	}
	return err
}

// escaped is JSON in which control and format characters that JSON itself lets through are escaped too.
func escaped(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "    ")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, r := range string(b) {
		if r != '\n' && hidden(r) {
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&out, "\\u%04x", unit)
			}
			continue
		}
		out.WriteRune(r)
	}
	return out.Bytes(), nil
}
