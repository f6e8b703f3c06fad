package analysis

import "fmt"

const (
	leastCPU    = 0.05     // cores more than stable's pods take, below which nothing is worse
	leastMemory = 64 << 20 // bytes, likewise
	nearLimit   = 0.95     // of a limit: the next allocation may be the last
)

// usage judges what the pods take. Nobody has asked for it: where nothing is measured, it does not count.
func (j *judging) usage() []Result {
	u := j.canary.Usage
	if u == nil {
		return nil
	}
	if why := u.wrong(); why != "" {
		return []Result{Result{Check: "usage", Source: u.Source, Info: true}.unknown(why)}
	}
	var stable *Usage
	if j.stable != nil && j.stable.Usage != nil && j.stable.Usage.wrong() == "" {
		stable = j.stable.Usage
	}
	all := []Result{j.cpu(u, stable), j.memory(u, stable)}
	if u.CPUOfLimit != nil {
		all = append(all, j.cpuLimit(*u.CPUOfLimit, stable))
	}
	if u.MemoryOfLimit != nil {
		all = append(all, j.memoryLimit(*u.MemoryOfLimit, stable))
	}
	for i := range all {
		all[i].Source, all[i].Seen = u.Source, float64(u.Pods)
	}
	return all
}

// wrong says why figures cannot be trusted; empty where they will do.
func (u *Usage) wrong() string {
	bad := !finite(u.CPU) || !finite(u.Memory) || u.CPU < 0 || u.Memory < 0
	for _, share := range []*float64{u.CPUOfLimit, u.MemoryOfLimit} {
		bad = bad || share != nil && (!finite(*share) || *share < 0)
	}
	switch {
	case u.Problem != "":
		return u.Problem
	case u.Pods <= 0:
		return "no pod is measured yet"
	case bad:
		return "the figures are no numbers"
	}
	return ""
}

// cpu compares what a pod takes for what it is sent: without a count of requests, more load and more need look the same.
func (j *judging) cpu(u, stable *Usage) Result {
	r := Result{Check: "cpu", Unit: "cores", Canary: &u.CPU}
	seen := fmt.Sprintf("%s cores a pod", digits(u.CPU))
	if stable == nil {
		r.Info = true
		return r.unknown(seen + ", and nothing of stable to compare with")
	}
	r.Stable = &stable.CPU
	seen += fmt.Sprintf(", %s of stable's", digits(stable.CPU))
	load, known := j.load()
	if !known {
		r.Info, r.Verdict, r.Message = true, Pass, seen+"; not compared, for requests are not counted"
		return r
	}
	most := max(stable.CPU*load*(1+j.WorseUsage), stable.CPU*load+leastCPU)
	r.Bound = &most
	return r.conclude(fine, j.over(u.CPU, most, fmt.Sprintf("more than %s for as many requests", digits(most))), false, seen)
}

// load is how many requests a pod of the canary gets for one that a pod of stable gets, at least 1.
func (j *judging) load() (float64, bool) {
	c, s := j.canary.Users, j.stable.Users
	if c == nil || s == nil || j.wrong(c) != "" || j.wrong(s) != "" || j.canary.Pods <= 0 || j.stable.Pods <= 0 || s.Requests == 0 {
		return 0, false
	}
	perSecond := func(t *Traffic, seen *Seen) float64 { return t.Requests / podTime(seen).Seconds() }
	return max(1, perSecond(c, &j.canary)/perSecond(s, j.stable)), true
}

func (j *judging) memory(u, stable *Usage) Result {
	r := Result{Check: "memory", Unit: "bytes", Canary: &u.Memory}
	seen := size(u.Memory) + " a pod"
	if stable == nil {
		r.Info = true
		return r.unknown(seen + ", and nothing of stable to compare with")
	}
	r.Stable = &stable.Memory
	seen += fmt.Sprintf(", %s of stable's", size(stable.Memory))
	most := max(stable.Memory*(1+j.WorseUsage), stable.Memory+leastMemory)
	r.Bound = &most
	return r.conclude(fine, j.over(u.Memory, most, "more than "+size(most)), false, seen)
}

// over is a failure at the window's end alone: what pods take goes up and down.
func (j *judging) over(value, most float64, why string) opinion {
	switch {
	case value <= most:
		return fine
	case !j.final:
		return opinion{Inconclusive, why + ", and the window goes on"}
	}
	return opinion{Fail, why}
}

// cpuLimit never judges: a pod at its limit is slowed down, which its latency shows if it matters.
func (j *judging) cpuLimit(share float64, stable *Usage) Result {
	r := limit("cpu-limit", share, stable, func(u *Usage) *float64 { return u.CPUOfLimit })
	r.Info, r.Verdict, r.Message = true, Pass, fmt.Sprintf("%s of the limit of CPU in the busiest pod", percent(share))
	if share >= nearLimit {
		r.Message += ": it is slowed down"
	}
	return r
}

func (j *judging) memoryLimit(share float64, stable *Usage) Result {
	r := limit("memory-limit", share, stable, func(u *Usage) *float64 { return u.MemoryOfLimit })
	r.Bound = ofHundred(nearLimit)
	over := fine
	if share >= nearLimit {
		over = opinion{Fail, fmt.Sprintf("%s and more is about to be killed", percent(nearLimit))}
	}
	stableToo := r.Stable != nil && *r.Stable >= 100*nearLimit
	return r.conclude(over, fine, stableToo, fmt.Sprintf("%s of the limit of memory in the fullest pod", percent(share)))
}

func limit(check string, share float64, stable *Usage, of func(*Usage) *float64) Result {
	r := Result{Check: check, Unit: "%", Canary: ofHundred(share)}
	if stable != nil && of(stable) != nil {
		r.Stable = ofHundred(*of(stable))
	}
	return r
}
