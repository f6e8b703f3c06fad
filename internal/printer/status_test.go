package printer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func show(t *testing.T, table Table, all ...Status) string {
	t.Helper()
	table.Now, table.Command = noon, command
	var out strings.Builder
	if err := table.Print(&out, all); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTable(t *testing.T) {
	for name, table := range map[string]Table{
		"table-unicode":    {Style: Style{Unicode: true}},
		"table-ascii":      {},
		"table-color":      {Style: Style{Unicode: true, Color: true}},
		"table-wide":       {Style: Style{Unicode: true}, Wide: true},
		"table-namespaces": {Style: Style{Unicode: true}, Namespace: true},
		"table-no-headers": {NoHeaders: true},
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, show(t, table, messenger()...)) })
	}
}

// Color is never the only signal, and takes no room: without the escapes both tables are the same.
func TestColorChangesNothing(t *testing.T) {
	plain, colored := show(t, Table{}, messenger()...), show(t, Table{Style: Style{Color: true}}, messenger()...)
	if plain == colored {
		t.Error("nothing is colored")
	}
	if got := withoutColor(colored); got != plain {
		t.Errorf("without its color the table is\n%s\nwant\n%s", got, plain)
	}
}

func TestTableOfEveryPhase(t *testing.T) {
	drifted := recorded(release("drifted", 4, 2), 2500, canary.Split{Stable: 3, Canary: 1})
	degraded := recorded(release("degraded", 3, 1), 2500, canary.Split{Stable: 3, Canary: 1})
	degraded.Stable.Serving = 2
	dark := release("dark", 3, 3)
	dark.Stable.Serving, dark.Stable.Dark = 0, 3
	broken := release("broken", 3, 1)
	broken.Stable.Serving, broken.Canary.Serving = 0, 0
	single := release("single", 3, 1)
	single.Others, single.Stable, single.Canary = []canary.Version{*single.Stable}, nil, nil
	golden(t, "phases", show(t, Table{Style: Style{Unicode: true}},
		Status{Release: broken}, Status{Release: degraded}, Status{Release: drifted}, Status{Release: dark},
		Status{Release: messenger()[1].Release}, Status{Release: release("promoted", 0, 3)}, Status{Release: single},
		Status{Release: release("stable", 3, 0)}, Status{Release: canary.Release{Name: "external", Namespace: "messenger"}}))
}

// Others and foreign pods count in the weight; the wide table names them.
func TestThirdVersion(t *testing.T) {
	r := recorded(release("auth", 3, 1), 2500, canary.Split{Stable: 3, Canary: 1})
	r.Others = []canary.Version{version("auth", "v0", 2, 2)}
	r.Foreign = 2
	r.Canary.Deployment.Images = append(r.Canary.Deployment.Images, "proxy:1")
	status := Status{Release: r, Autoscalers: []canary.Autoscaler{{Name: "auth-v1"}, {Name: "auth-v2"}}}
	golden(t, "third-version", show(t, Table{Wide: true}, status))
}

func TestWeightCell(t *testing.T) {
	for _, c := range []struct {
		name           string
		stable, second int
		target         canary.Split
		want           string
	}{
		{"the bar where it is as asked", 3, 1, canary.Split{Stable: 3, Canary: 1}, "25% ###......."},
		{"the arrow where it is not", 3, 1, canary.Split{Stable: 2, Canary: 2}, "25% -> 50%"},
		{"decimals", 7, 1, canary.Split{Stable: 7, Canary: 1}, "12.5% #........."},
		{"everything", 0, 3, canary.Split{Canary: 3}, "100% ##########"},
		{"nothing", 3, 0, canary.Split{Stable: 3}, "0% .........."},
		{"no arrow to nowhere", 3, 1, canary.Split{}, "25% ###......."},
		{"nothing serves", 0, 0, canary.Split{Stable: 3}, "-"},
	} {
		r := recorded(release("auth", c.stable, c.second), 2500, c.target)
		got := strings.Split(show(t, Table{NoHeaders: true}, Status{Release: r}), "   ")
		if got[1] != c.want {
			t.Errorf("%s: %q, want %q", c.name, got[1], c.want)
		}
	}
}

// Bars of one kind have one length, and grow with the weight.
func TestBar(t *testing.T) {
	for _, style := range []Style{{}, {Unicode: true}} {
		full := -1
		for w := canary.None; w <= canary.Full; w += 50 {
			bar := style.bar(int(w))
			if n := len([]rune(bar)); n != barCells {
				t.Fatalf("the bar of %s%% has %d cells: %q", w, n, bar)
			}
			n := 2*strings.Count(bar, "█") + strings.Count(bar, "▌") + 2*strings.Count(bar, "#")
			if n < full {
				t.Fatalf("the bar of %s%% is shorter than the one before: %q", w, bar)
			}
			full = n
		}
		if full != 2*barCells {
			t.Errorf("the bar of 100%% is not full: %d halves", full)
		}
	}
}

func TestAge(t *testing.T) {
	table := Table{Now: noon}
	for since, want := range map[time.Time]string{
		{}: "-", ago(90 * time.Second): "90s", ago(26 * time.Hour): "26h", noon.Add(time.Minute): "0s",
	} {
		if got := table.age(since); got != want {
			t.Errorf("age since %s: %q, want %q", since, got, want)
		}
	}
}

// A problem is one line, and not longer than one can read.
func TestSentence(t *testing.T) {
	table := Table{Now: noon}
	for _, c := range []struct {
		problem canary.Problem
		want    string
	}{
		{canary.Problem{Object: "Pod/a-1", Message: "NotReady"}, "pod a-1 NotReady"},
		{canary.Problem{Object: "Pod/a-1", Message: "NotReady", Since: ago(time.Minute)}, "pod a-1 NotReady for 60s"},
		{canary.Problem{Object: "Pod/a-1", Message: "one\ntwo\r\nthree"}, "pod a-1 one two  three"},
		{canary.Problem{Object: "Pod/a-1", Message: strings.Repeat("x", 10_000)}, "pod a-1 " + strings.Repeat("x", maxMessage-len("pod a-1 ")) + "..."},
	} {
		if got := table.sentence(c.problem); got != c.want {
			t.Errorf("%.40q: %q, want %q", c.problem.Message, got, c.want)
		}
	}
}

// Each next command stands on a line of its own, complete, below the problem it is for.
func TestNextCommands(t *testing.T) {
	got := show(t, Table{NoHeaders: true}, messenger()[1])
	want := fmt.Sprintf("\nchat: pod %s for 45s\n      %s\n      %s\n", "chat-v2-7c9d-x2 "+crashing.Message,
		"kubectl logs chat-v2-7c9d-x2 --previous -n messenger --context staging",
		"kubectl canary rollback chat -n messenger --context staging")
	if !strings.HasSuffix(got, want) {
		t.Errorf("got\n%s\nwant it to end with\n%s", got, want)
	}
}
