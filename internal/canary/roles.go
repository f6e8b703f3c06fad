package canary

import (
	"fmt"
	"slices"
)

// assignRoles splits versions, which are in version order, into stable, canary and others. Roles come from the user,
// else from a move in progress, else the record, else the track label, else the order: the highest is the canary.
func assignRoles(r *Release, versions []Version, o Options) {
	want, fromRecord := chooseRoles(r, versions, o)
	if fromRecord {
		r.Record = r.Lease.Record
	}
	for i := range versions {
		switch v := &versions[i]; v.Name {
		case want.Stable:
			r.Stable = v
		case want.Canary:
			r.Canary = v
		default:
			r.Others = append(r.Others, *v)
		}
	}
	for _, name := range []string{o.Stable, o.Canary} {
		if name != "" && !has(versions, name) {
			r.Problems = append(r.Problems, Problem{
				Code: CodeUnknownVersion, Severity: Error, Object: "Service/" + r.Name,
				Message: "release " + r.Name + " has no version " + name + ": it has " + versionNames(versions),
			})
		}
	}
	if r.Stable == nil || r.Canary == nil {
		r.Stable, r.Canary, r.Others = nil, nil, versions
		if len(r.Problems) == 0 {
			r.Problems = []Problem{{
				Code: CodeUnknownVersion, Severity: Error, Object: "Service/" + r.Name,
				Message: fmt.Sprintf("stable %s and canary %s are not two versions of release %s: it has %s", want.Stable, want.Canary, r.Name, versionNames(versions)),
			}}
		}
	}
}

func chooseRoles(r *Release, versions []Version, o Options) (roles Roles, fromRecord bool) {
	if pinned, ok := o.Roles[r.Name]; ok {
		return pinned, r.Lease.Record != nil && recordFits(r.Lease.Record, pinned)
	}
	asked := Roles{o.Stable, o.Canary}
	if rec := r.Lease.Record; rec != nil && has(versions, rec.Stable) && has(versions, rec.Canary) && !newAtRest(rec, versions) {
		if asked.Stable == "" && asked.Canary != rec.Stable {
			asked.Stable = rec.Stable
		}
		if asked.Canary == "" && asked.Stable != rec.Canary {
			asked.Canary = rec.Canary
		}
		if recordFits(rec, asked) {
			return asked, true
		}
	}
	if asked.Stable == "" && asked.Canary == "" {
		if t, ok := trackRoles(versions); ok {
			return t, false
		}
	}
	if asked.Canary == "" {
		asked.Canary = highest(versions, asked.Stable, false)
	}
	if asked.Stable == "" {
		asked.Stable = highest(versions, asked.Canary, true)
	}
	return asked, false
}

func recordFits(rec *Record, roles Roles) bool {
	return rec.Stable == roles.Stable && rec.Canary == roles.Canary
}

// newAtRest says that a version has come since the release came to rest: a new release begins.
func newAtRest(rec *Record, versions []Version) bool {
	return rec.AtRest() && slices.ContainsFunc(versions, func(v Version) bool { return !rec.Knows(v.Name) })
}

// trackRoles reads the label track: stable|canary, where each stands on one version.
func trackRoles(versions []Version) (roles Roles, ok bool) {
	count := map[string]int{}
	for _, v := range versions {
		track := v.Deployment.PodLabels["track"]
		count[track]++
		switch track {
		case "stable":
			roles.Stable = v.Name
		case "canary":
			roles.Canary = v.Name
		}
	}
	return roles, count["stable"] == 1 && count["canary"] == 1
}

// highest returns the highest version but one; with serving, the highest that has replicas, if any has.
func highest(versions []Version, but string, serving bool) string {
	name := ""
	for _, v := range versions {
		if v.Name != but && (!serving || v.Deployment.Replicas > 0) {
			name = v.Name
		}
	}
	if name == "" && serving {
		return highest(versions, but, false)
	}
	return name
}

func has(versions []Version, name string) bool {
	return slices.ContainsFunc(versions, func(v Version) bool { return v.Name == name })
}

func versionNames(versions []Version) string {
	set := make([]*Deployment, len(versions))
	for i, v := range versions {
		set[i] = &Deployment{Name: v.Name}
	}
	return names(set)
}
