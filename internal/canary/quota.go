package canary

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// counts says whether the quota counts the pods of a side, and whether that can be told.
func (q *Quota) counts(side *surgingSide) (match, known bool) {
	if !side.known {
		return false, false
	}
	match, known = true, true
	for _, scope := range q.Scopes {
		fits, told := scope.fits(&side.demand)
		match, known = match && fits, known && told
	}
	return match, known
}

func (s QuotaScope) fits(d *PodDemand) (match, known bool) {
	switch s.Name {
	case "Terminating":
		return false, true // a Deployment's pods have no deadline
	case "NotTerminating":
		return true, true
	case "BestEffort":
		return d.bestEffort(), true
	case "NotBestEffort":
		return !d.bestEffort(), true
	case "PriorityClass":
		if d.PriorityClass == "" {
			return false, false // the cluster may have a default
		}
		switch s.Operator {
		case "Exists":
			return true, true
		case "DoesNotExist":
			return false, true
		case "In":
			return slices.Contains(s.Values, d.PriorityClass), true
		case "NotIn":
			return !slices.Contains(s.Values, d.PriorityClass), true
		}
	}
	return false, false
}

// bestEffort says whether nothing of the pod asks for CPU or memory.
func (d *PodDemand) bestEffort() bool {
	all := []Amounts{d.BareRequests, d.BareLimits}
	for _, c := range d.Containers {
		all = append(all, c.Requests, c.Limits)
	}
	return !slices.ContainsFunc(all, func(a Amounts) bool { return a["cpu"] > 0 || a["memory"] > 0 })
}

// takes is what the pod takes of a quota's resource, by the name that the quota has for it.
func (d *PodDemand) takes(name string) int64 {
	if name == "pods" || name == "count/pods" {
		return 1000
	}
	if of, ok := strings.CutPrefix(name, "limits."); ok {
		if computed(of) {
			return d.Limits[of]
		}
		return 0
	}
	of, asked := strings.CutPrefix(name, "requests.")
	extended := asked && strings.Contains(of, "/") && !strings.Contains(of, "kubernetes.io/")
	if extended || computed(of) || strings.HasPrefix(of, "hugepages-") {
		return d.Requests[of]
	}
	return 0
}

func computed(name string) bool {
	return name == "cpu" || name == "memory" || name == "ephemeral-storage"
}

// missing returns a resource that the quota wants every container to name, and a container of the pod that does not; empty
// where there is none.
func (q *Quota) missing(d *PodDemand) (name, container string) {
	if d.PodLevel {
		return "", ""
	}
	for _, name := range slices.Sorted(maps.Keys(q.Hard)) {
		of, limit := strings.CutPrefix(name, "limits.")
		of = strings.TrimPrefix(of, "requests.")
		if of != "cpu" && of != "memory" {
			continue
		}
		for _, c := range d.Containers {
			has := c.Requests
			if limit {
				has = c.Limits
			}
			if _, ok := has[of]; !ok {
				return name, c.Name
			}
		}
	}
	return "", ""
}

func (q *Quota) problem(severity Severity, what string) Problem {
	return Problem{
		Code: CodeQuota, Severity: severity, Object: "ResourceQuota/" + q.Name,
		Message: "quota " + q.Name + ": " + what, Next: []string{"describe quota " + q.Name},
	}
}

// amount writes thousandths of a resource as kubectl does: bytes in the largest unit that leaves no rest, "none" of nothing.
func amount(name string, n int64) string {
	switch {
	case n == 0:
		return "none"
	case n%1000 != 0:
		return fmt.Sprintf("%dm", n)
	}
	n /= 1000
	if strings.HasSuffix(name, "memory") || strings.HasSuffix(name, "storage") || strings.Contains(name, "hugepages-") {
		units := []string{"", "Ki", "Mi", "Gi", "Ti"}
		i := 0
		for ; n%1024 == 0 && i < len(units)-1; i++ {
			n /= 1024
		}
		return fmt.Sprintf("%d%s", n, units[i])
	}
	return fmt.Sprint(n)
}
