package canary

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// cluster is some releases that move together, and what a quota sees of them.
type cluster struct {
	t     *rapid.T
	sims  []*simulation
	moves []Moving
	each  [][2]int64
	seen  [][2]int // the pods of each side
	most  int64    // used when a pod was created that takes some of it, at most
	made  int64    // used by all pods that were ever created
	grew  bool
}

// newCluster puts some releases at rest, with the pods of each side taking so much, and plans their moves.
func newCluster(t *rapid.T) *cluster {
	c := &cluster{t: t}
	for i := range rapid.IntRange(1, 3).Draw(t, "releases") {
		from, to := anySplit(t), anySplit(t)
		surge, unavailable := anyLimits(t, to)
		each := [2]int64{int64(rapid.IntRange(0, 3).Draw(t, "stable takes")), int64(rapid.IntRange(0, 3).Draw(t, "canary takes"))}
		s := &simulation{t: t, stable: fleet{serving: from.Stable}, canary: fleet{serving: from.Canary}}
		s.bounds = NewBounds(s.position(), s.pods(), to, surge, unavailable)
		plan, err := NewPlan(s.position(), to, s.bounds)
		if err != nil {
			t.Fatal(err)
		}
		r := &Release{Name: fmt.Sprint(i), Stable: &Version{}, Canary: &Version{}}
		for side, v := range []*Version{r.Stable, r.Canary} {
			v.Deployment = Deployment{Replicas: sides(from)[side], Pods: sides(from)[side], Template: asking{Requests: Amounts{"x/y": each[side]}}}
		}
		s.look = c.look
		c.sims, c.moves, c.each, c.seen = append(c.sims, s), append(c.moves, Moving{r, plan}), append(c.each, each), append(c.seen, sides(from))
	}
	return c
}

// used is what the pods of all releases take now.
func (c *cluster) used() (used int64) {
	for i, s := range c.sims {
		used += int64(s.stable.replicas())*c.each[i][0] + int64(s.canary.replicas())*c.each[i][1]
	}
	return used
}

// look notes what is used when a pod has been created that takes some of it: that is when a quota is asked.
func (c *cluster) look() {
	for i, s := range c.sims {
		now := [2]int{s.stable.replicas(), s.canary.replicas()}
		for side, n := range now {
			if n > c.seen[i][side] && c.each[i][side] > 0 {
				c.most, c.grew = max(c.most, c.used()), true
				c.made += int64(n-c.seen[i][side]) * c.each[i][side]
			}
		}
		c.seen[i] = now
	}
}

// inAnyOrder does something to each release.
func (c *cluster) inAnyOrder(do func(*simulation, Split)) {
	for _, i := range rapid.Permutation(indexes(len(c.sims))).Draw(c.t, "order") {
		do(c.sims[i], c.moves[i].Plan.Target)
	}
}

func indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// step lowers or raises each release once, and lets pods come up meanwhile.
func (c *cluster) step(what string, to func(Bounds, Position, Split) Split) {
	c.inAnyOrder(func(s *simulation, target Split) {
		s.meanwhile(true)
		s.write(what, to(s.bounds, s.position(), target))
	})
}

// move is a move behind the barrier.
func (c *cluster) move() {
	for range 100 {
		done := true
		for i, s := range c.sims {
			done = done && s.position().At(c.moves[i].Plan.Target)
		}
		if done {
			return
		}
		c.step("room", Bounds.MakeRoom)
		c.step("raise", Bounds.Raise)
		c.inAnyOrder(func(s *simulation, target Split) {
			for !s.bounds.Served(s.position(), target) {
				if !s.progress(false) {
					c.t.Fatal("stuck")
				}
			}
		})
		c.step("lower", Bounds.Lower)
	}
	c.t.Fatal("no end")
}

// says is the worst that is said of a quota that leaves so much; empty for nothing.
func (c *cluster) says(left int64, barrier bool) (worst Severity) {
	s := &Snapshot{Quotas: []Quota{{Name: "q", Hard: Amounts{"requests.x/y": 1000 + left}, Used: Amounts{"requests.x/y": 1000}}}}
	for _, problems := range Headroom(s, c.moves, barrier) {
		for _, p := range problems {
			if worst != Error {
				worst = p.Severity
			}
		}
	}
	return worst
}

// exact holds Headroom to what is needed: with room for just that it is no error, with one less it is. made is what is needed
// when nothing that is stopped is ever gone.
func (c *cluster) exact(need, made int64, barrier bool) {
	for _, left := range []int64{need - 1, need, made - 1, made} {
		want := Warning
		if left < need {
			want = Error
		} else if left >= made {
			want = ""
		}
		if got := c.says(left, barrier); got != want {
			c.t.Fatalf("with room for %d of %d or %d: %q, want %q", left, need, made, got, want)
		}
	}
}

// In whatever order releases write and their pods come up, a quota is asked for just what Headroom says.
func TestHeadroomIsExact(t *testing.T) {
	growing := 0
	rapid.Check(t, func(t *rapid.T) {
		c := newCluster(t)
		start := c.used()
		c.move()
		if !c.grew {
			if got := c.says(-1, true); got != "" {
				t.Fatalf("%s, and no pod is created that takes any", got)
			}
			return
		}
		growing++
		c.exact(c.most-start, c.made, true)
	})
	if growing < 100 {
		t.Errorf("only %d moves created pods that count", growing)
	}
}

// Releases that do not wait for one another can be at any of their steps when one of them raises.
func TestHeadroomApartIsExact(t *testing.T) {
	growing := 0
	rapid.Check(t, func(t *rapid.T) {
		c := newCluster(t)
		start, most, made, grew := c.used(), int64(0), int64(0), false
		// Every moment of each release, and whether pods that count are created to get there.
		type moment struct {
			used    int64
			creates bool
		}
		moments := make([][]moment, len(c.moves))
		for i, m := range c.moves {
			at := m.Plan.From
			step := func(to Split) {
				creates := to.Stable > at.Stable && c.each[i][0] > 0 || to.Canary > at.Canary && c.each[i][1] > 0
				made += int64(max(0, to.Stable-at.Stable))*c.each[i][0] + int64(max(0, to.Canary-at.Canary))*c.each[i][1]
				moments[i] = append(moments[i], moment{int64(to.Stable)*c.each[i][0] + int64(to.Canary)*c.each[i][1], creates})
				at = to
			}
			step(at)
			for _, round := range m.Plan.Rounds {
				step(round.Room)
				step(round.Raise)
				step(round.Lower)
			}
		}
		var visit func(i int, used int64, creates bool)
		visit = func(i int, used int64, creates bool) {
			if i == len(moments) {
				if creates {
					most, grew = max(most, used), true
				}
				return
			}
			for _, m := range moments[i] {
				visit(i+1, used+m.used, creates || m.creates)
			}
		}
		visit(0, 0, false)
		if !grew {
			return
		}
		growing++
		c.exact(most-start, made, false)
	})
	if growing < 100 {
		t.Errorf("only %d moves created pods that count", growing)
	}
}
