package node

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/test/markdown"
)

var reportFile = flag.String("report", "", "the document whose numbers BenchmarkTraffic writes anew")

// behaviours are those of apps that are told to stop.
var behaviours = []struct {
	name, label string
	app
}{
	{"graceful", "serves 5 s on", app{graceful: true}},
	{"prestop", "`preStop` of 5 s", app{preStop: true}},
	{"neither", "stops at once", app{}},
}

// ways are the ways to make the same moves, each from 3/1 to 0/3, to 3/0, to 3/1 again and step by step to 0/3.
var ways = []struct {
	name, label                      string
	drain                            bool
	promote, rollback, back, gradual string
}{
	{
		"scale", "`kubectl scale`", false,
		inTurn("v2=3", "v1=0"), inTurn("v2=0", "v1=3"), inTurn("v2=1"),
		inSteps(inTurn("v2=2", "v1=2"), inTurn("v2=3", "v1=1"), inTurn("v2=3", "v1=0")),
	},
	{"canary", "`kubectl canary`", false, canary("promote"), canary("rollback"), canary("shift --to 25"), gradually},
	{"drain", "`kubectl canary`, with the label", true, canary("promote"), canary("rollback"), canary("shift --to 25"), gradually},
}

var gradually = inSteps(canary("shift --to 50"), canary("shift --to 75"), canary("promote"))

// canary is a move without the time in which it only watches what it has done.
func canary(command string) string { return "kubectl canary " + command + ` --settle 0s -n "$1"` }

// inTurn scales the versions of one service after the other, and waits for nothing.
func inTurn(replicas ...string) string {
	script := "for s in " + strings.Join(services, " ") + "; do\n"
	for _, r := range replicas {
		version, n, _ := strings.Cut(r, "=")
		script += fmt.Sprintf("kubectl scale deployment/$s-%s --replicas=%s -n \"$1\"\n", version, n)
	}
	return script + "done"
}

func inSteps(steps ...string) string { return strings.Join(steps, "\nsleep 10\n") }

// BenchmarkTraffic counts the requests that moves lose, beside scripts, and writes what it finds into a document. Nothing is
// asserted. What -bench leaves out is not written.
func BenchmarkTraffic(b *testing.B) {
	if lacking != "" {
		b.Fatal(lacking)
	}
	document, err := markdown.Open(*reportFile, "traffic", "bake", "gates")
	if err != nil {
		b.Fatal(err)
	}
	var all measured
	for _, behaviour := range behaviours {
		for _, way := range ways {
			b.Run(behaviour.name+"/"+way.name, func(b *testing.B) {
				a := behaviour.app
				a.drain, a.ready = way.drain, 5*time.Second
				ns := deploy(b, a)
				move := func(name, script string, to target) {
					o := measure(b, ns, script, to, a.settle())
					all.moves = append(all.moves, moved{name, behaviour.label, way.label, o})
					say("%s, %s, %s: %s, done after %s", name, behaviour.label, way.label, o.report, o.done.Round(time.Millisecond))
				}
				move("promote", way.promote, target{versions{0, 3}, "v1"})
				move("rollback", way.rollback, target{versions{3, 0}, "v2"})
				measure(b, ns, way.back, target{versions: versions{3, 1}}, a.settle())
				move("gradual", way.gradual, target{versions{0, 3}, "v1"})
				all.rest(b, ns)
			})
		}
	}
	b.Run("bake", all.bake)
	b.Run("migrate", all.migrate)
	if b.Failed() {
		return
	}
	for _, block := range []struct{ name, body string }{{"traffic", all.traffic(b)}, {"bake", all.rollbacks()}, {"gates", all.gates()}} {
		if block.body != "" {
			say("\n%s", block.body)
			if err := document.Set(block.name, block.body); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// rest is a load without a move.
func (m *measured) rest(b *testing.B, namespace string) {
	r := startLoad(b, namespace, "auth").until(10 * rate).finish()
	m.quiet = append(m.quiet, r)
	say("no move: %s", r)
}

// say tells how far it is: it takes minutes.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
