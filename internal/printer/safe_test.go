package printer

import (
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

var colors = regexp.MustCompile("\x1b\\[[0-9]+m")

func withoutColor(s string) string { return colors.ReplaceAllString(s, "") }

// hostile strings are what somebody who may name things in the cluster could use to hide or forge output.
var hostile = []string{
	"\x1b[2J\x1b[31mred", "\x1b]0;title\a", "\u009b31m", "a\u202eb\u2066c", "one\ntwo\r\n\tthree", "\a\b\x7f",
	"zero\u200bwidth\ufeff", "line\u2028para\u2029", "bad\xff\xfeutf8", "\U000e0041tag", strings.Repeat("long", 2500),
}

// unsafe returns the first character that must not reach a terminal.
func unsafe(s string) (rune, bool) {
	for _, r := range s {
		if r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return r, true
		}
	}
	return 0, false
}

// poisoned puts a string wherever the cluster has a say.
func poisoned(s string) Status {
	problem := canary.Problem{Code: s, Severity: canary.Error, Object: "Pod/" + s, Message: s + " ", Since: noon, Next: []string{"logs " + s}}
	problem.Chain = []canary.Link{{Object: "Pod/" + s, Text: s}, {Event: &canary.Happening{Object: "Pod/" + s, Reason: s, Message: s}}}
	r := moving(release("auth", 3, 1), 5000, canary.Split{Stable: 2, Canary: 2})
	r.Name, r.Namespace, r.Services[0].Name = s, s, s
	for _, v := range r.Versions() {
		v.Name, v.Deployment.Name, v.Deployment.Images = s, s, []string{s}
	}
	r.Others = []canary.Version{*r.Canary}
	r.Record.Move.Command, r.Record.Move.By = s, s
	r.Record.Changes[0].By, r.Record.Changes[0].Command, r.Record.Changes[0].Reason = s, s, s
	return Status{Release: r, Problems: []canary.Problem{problem}, Autoscalers: []canary.Autoscaler{{Name: s}}}
}

// writers are all ways from a string of the cluster to the user's terminal.
func writers(s string) map[string]func(io.Writer) error {
	status := poisoned(s)
	r := &status.Release
	list := NewReleaseList([]Status{status}, command)
	style := Style{Unicode: true, Color: true}
	return map[string]func(io.Writer) error{
		"history": func(w io.Writer) error {
			e := canary.Entry{Release: s, Source: canary.FromEvent, Change: canary.Change{Command: s, By: s, Reason: s, Outcome: canary.Outcome(s)}}
			return History{Style: style, Now: noon, Wide: true}.Print(w, []canary.Entry{e})
		},
		"table": func(w io.Writer) error {
			return Table{Style: style, Now: noon, Namespace: true, Wide: true, Command: command}.Print(w, []Status{status})
		},
		"plan": func(w io.Writer) error {
			p, err := canary.NewPlan(r.Position(), canary.Split{Stable: 2, Canary: 2}, canary.Bounds{Floor: 3, Ceiling: 6})
			if err != nil {
				return err
			}
			return Plan(w, style, r, canary.Target{Reach: 5000, Baseline: 3}, p)
		},
		"progress": func(w io.Writer) error {
			p := &Progress{Out: w, Style: style}
			p.Begin([]canary.Release{*r}, noon)
			for _, e := range everyEvent(r, &status.Problems[0]) {
				p.Handle(e)
			}
			return nil
		},
		"event": func(w io.Writer) error {
			_, err := io.WriteString(w, Happening(canary.Happening{Reason: s, Message: s}, noon))
			return err
		},
		"json": func(w io.Writer) error { return JSON(w, list) },
		"yaml": func(w io.Writer) error { return YAML(w, list) },
	}
}

func checkSafe(t rapid.TB, s string) {
	for name, write := range writers(s) {
		var out strings.Builder
		if err := write(&out); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r, found := unsafe(withoutColor(out.String())); found {
			t.Errorf("%s of %q lets %U through", name, s, r)
		}
	}
}

func TestHostileStrings(t *testing.T) {
	for _, s := range hostile {
		checkSafe(t, s)
	}
}

func TestAnyStringIsSafe(t *testing.T) {
	piece := rapid.OneOf(rapid.String(), rapid.SampledFrom(hostile), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	rapid.Check(t, func(t *rapid.T) { checkSafe(t, piece.Draw(t, "a")+piece.Draw(t, "b")) })
}

// One string of the cluster is one line: it cannot forge a row.
func TestSafeIsOneLine(t *testing.T) {
	for _, s := range hostile {
		if got := Safe(s); strings.ContainsAny(got, "\n\r\t\v\f\u0085\u2028\u2029") {
			t.Errorf("Safe(%q) = %q", s, got)
		}
	}
	if got := Safe("ünï → ok, 漢字"); got != "ünï → ok, 漢字" {
		t.Errorf("harmless text became %q", got)
	}
}

// Programs get strings as they are, invalid UTF-8 apart.
func TestHostileStringsDecodeAsTheyWere(t *testing.T) {
	for _, s := range hostile {
		list := NewReleaseList([]Status{poisoned(s)}, command)
		var out strings.Builder
		if err := JSON(&out, list); err != nil {
			t.Fatal(err)
		}
		var got ReleaseList
		if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		want := strings.ToValidUTF8(s, "\ufffd")
		if s == "bad\xff\xfeutf8" {
			want = "bad\ufffd\ufffdutf8" // one for each byte
		}
		if got.Items[0].Name != want || got.Items[0].LastChange.Reason != want || got.Items[0].Canary.Images[0] != want {
			t.Errorf("%q came back as %q", want, got.Items[0].Name)
		}
	}
}

// YAML has no escapes outside of quotes; what it shows must still say the same where nothing is hidden in it.
func TestYAMLDecodesAsJSON(t *testing.T) {
	list := NewReleaseList(messenger(), command)
	var out strings.Builder
	if err := YAML(&out, list); err != nil {
		t.Fatal(err)
	}
	var got ReleaseList
	if err := yaml.UnmarshalStrict([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(list, got); diff != "" {
		t.Error(diff)
	}
}
