package canary

import (
	"fmt"
	"maps"
	"slices"
)

// Moving is a release that is about to move, and how.
type Moving struct {
	Release *Release
	Plan    Plan
}

// Headroom lists for each of the moves, in their order, what would keep pods of its plan from being created: quotas, of which
// all moves take their part at once, and limit ranges. barrier says that they go round by round together.
func Headroom(s *Snapshot, moves []Moving, barrier bool) [][]Problem {
	found := make([][]Problem, len(moves))
	if len(s.Quotas)+len(s.LimitRanges) == 0 {
		return found
	}
	all := make([]surge, len(moves))
	for i, m := range moves {
		all[i] = newSurge(s, m)
		found[i] = all[i].limitProblems(s.LimitRanges)
	}
	for _, q := range s.Quotas {
		for i, problems := range quotaProblems(&q, all, barrier) {
			found[i] = append(found[i], problems...)
		}
	}
	return found
}

// surge is the pods that a move has while it goes on, as a quota counts them.
type surge struct {
	sides [2]surgingSide // stable, canary
	// rounds are the pods of both sides after the raise of each round; those of before the first round are there now, or
	// missing.
	before [2]int
	rounds [][2]int
}

// surgingSide is one side of a move.
type surgingSide struct {
	deployment *Deployment
	known      bool // what its pods ask for
	demand     PodDemand
	grows      []bool // whether pods are created, by round
}

func newSurge(s *Snapshot, m Moving) surge {
	g := surge{before: sides(m.Plan.From), rounds: make([][2]int, len(m.Plan.Rounds))}
	for i, v := range []*Version{m.Release.Stable, m.Release.Canary} {
		side := surgingSide{deployment: &v.Deployment, grows: make([]bool, len(m.Plan.Rounds))}
		if side.known = v.Deployment.Template != nil; side.known {
			side.demand = v.Deployment.Template.Pod(s.LimitRanges)
		}
		there := v.Deployment.Pods
		if i == 0 && m.Plan.Keep {
			g.before[i] = there
		}
		for k, round := range m.Plan.Rounds {
			g.rounds[k][i] = sides(round.Raise)[i]
			if i == 0 && m.Plan.Keep {
				g.rounds[k][i] = there // they run on
				continue
			}
			side.grows[k] = g.rounds[k][i] > min(there, sides(round.Room)[i])
			there = sides(round.Lower)[i]
		}
		g.sides[i] = side
	}
	return g
}

func sides(s Split) [2]int { return [2]int{s.Stable, s.Canary} }

// at is the pods of both sides after the raise of a round; a move that is over stays where it ended.
func (g *surge) at(round int) [2]int {
	if round < len(g.rounds) {
		return g.rounds[round]
	}
	return g.last()
}

func (g *surge) last() [2]int {
	if len(g.rounds) == 0 {
		return g.before
	}
	return g.rounds[len(g.rounds)-1]
}

// need is what a moment takes of a resource beyond what is there now, where each pod of a side takes so much of it.
func (g *surge) need(at [2]int, each [2]int64) (need int64) {
	for i, side := range g.sides {
		need += int64(at[i]-side.deployment.Pods) * each[i]
	}
	return need
}

// grows says whether pods that take some of the resource are created in the round.
func (g *surge) grows(round int, each [2]int64) bool {
	for i, side := range g.sides {
		if round < len(side.grows) && side.grows[round] && each[i] > 0 {
			return true
		}
	}
	return false
}

// most is the most that the move needs at any moment.
func (g *surge) most(each [2]int64) int64 {
	most := g.need(g.before, each)
	for _, at := range g.rounds {
		most = max(most, g.need(at, each))
	}
	return most
}

// peak is the worst moment of all moves, for one resource.
type peak struct {
	need  int64
	pods  int // of all the moves
	round int
	moves []int // that create pods then
}

// worstMoment finds the moment at which the moves together need the most of a resource, of those at which a pod is created that takes
// some of it; false where there is none. each is what a pod of either side takes, by move.
func worstMoment(all []surge, each [][2]int64, barrier bool) (p peak, ok bool) {
	rounds := 0
	for _, g := range all {
		rounds = max(rounds, len(g.rounds))
	}
	for k := range rounds {
		now := peak{round: k}
		for i, g := range all {
			at := g.at(k)
			now.need += g.need(at, each[i])
			now.pods += at[0] + at[1]
			if g.grows(k, each[i]) {
				now.moves = append(now.moves, i)
			}
		}
		if len(now.moves) > 0 && (!ok || now.need > p.need) {
			p, ok = now, true
		}
	}
	if barrier || len(all) < 2 {
		return p, ok
	}
	return worstApart(all, each)
}

// worstApart is worstMoment for moves that do not wait for one another: while one is at a round, each other may be at any moment.
func worstApart(all []surge, each [][2]int64) (p peak, ok bool) {
	var most int64
	for i, g := range all {
		most += g.most(each[i])
	}
	for i, g := range all {
		others := most - g.most(each[i])
		creates := false
		for k, at := range g.rounds {
			if !g.grows(k, each[i]) {
				continue
			}
			creates = true
			if need := others + g.need(at, each[i]); !ok || need > p.need {
				p.need, p.round, ok = need, k, true
			}
		}
		if creates {
			p.moves = append(p.moves, i)
		}
		most := g.before[0] + g.before[1]
		for _, at := range g.rounds {
			most = max(most, at[0]+at[1])
		}
		p.pods += most
	}
	return p, ok
}

// quotaProblems returns what speaks against each of the moves, by its index.
func quotaProblems(q *Quota, all []surge, barrier bool) map[int][]Problem {
	found := map[int][]Problem{}
	counted := make([][2]bool, len(all))
	for i, g := range all {
		for side, of := range g.sides {
			match, known := q.counts(&of)
			if !known {
				return nil
			}
			counted[i][side] = match
			if missing := q.missing(&of.demand); match && missing != "" && slices.Contains(of.grows, true) {
				found[i] = append(found[i], q.problem(fmt.Sprintf("%s, as Deployment %s", missing, of.deployment.Name)))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(q.Hard)) {
		each := make([][2]int64, len(all))
		for i, g := range all {
			for side, of := range g.sides {
				if counted[i][side] {
					each[i][side] = of.demand.takes(name)
				}
			}
		}
		used, usage := q.Used[name]
		p, ok := worstMoment(all, each, barrier)
		if left := q.Hard[name] - used; ok && usage && p.need > left {
			when := fmt.Sprintf("round %d: ", p.round+1)
			if !barrier && len(all) > 1 {
				when = "all at once: "
			}
			for _, i := range p.moves {
				found[i] = append(found[i], q.problem(fmt.Sprintf("%s: %s more needed at the worst moment (%s%d pods), %s left",
					name, amount(name, p.need), when, p.pods, amount(name, max(0, left)))))
			}
		}
	}
	return found
}
