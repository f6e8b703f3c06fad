package canary

import (
	"slices"
	"strings"
)

// versionLabels are the labels that tell versions apart, in the order in which they are tried.
var versionLabels = []string{"version", "app.kubernetes.io/version", "track"}

// versionLabel finds the label that tells the Deployments apart, and what is wrong with it.
func versionLabel(set []*Deployment, asked string) (string, []Problem) {
	switch len(set) {
	case 0:
		return "", nil
	case 1:
		for _, label := range versionLabels {
			if set[0].PodLabels[label] != "" {
				return label, nil
			}
		}
		return "", nil
	}
	if asked != "" {
		return asked, labelProblems(set, asked)
	}
	differing := ""
	for _, label := range versionLabels {
		distinct, everywhere := values(set, label)
		if everywhere && distinct == len(set) {
			return label, nil
		}
		if everywhere && distinct > 1 && differing == "" {
			differing = label
		}
	}
	if differing != "" {
		return differing, labelProblems(set, differing)
	}
	if label, ok := selectorLabel(set); ok {
		return label, []Problem{{
			Code: CodeVersionLabel, Severity: Error, Object: "Deployment/" + set[0].Name,
			Message: "the Deployments " + names(set) + " differ only in the label " + label + ", which may not be a version: say so with --version-label " + label,
		}}
	}
	return "", []Problem{{
		Code: CodeNoVersionLabel, Severity: Error, Object: "Deployment/" + set[0].Name,
		Message: "no label tells the Deployments " + names(set) + " apart: name it with --version-label",
	}}
}

// values counts the distinct values of a label, and says whether every pod template has it.
func values(set []*Deployment, label string) (distinct int, everywhere bool) {
	seen := map[string]bool{}
	everywhere = true
	for _, d := range set {
		v, ok := d.PodLabels[label]
		if !ok {
			everywhere = false
			continue
		}
		seen[v] = true
	}
	return len(seen), everywhere
}

// TellingLabels returns the labels that could tell the release's versions apart: all pod templates have them, not all the
// same.
func (r *Release) TellingLabels() []string {
	var set []*Deployment
	for _, v := range r.Versions() {
		set = append(set, &v.Deployment)
	}
	if len(set) < 2 {
		return nil
	}
	var labels []string
	for label := range set[0].PodLabels {
		if distinct, everywhere := values(set, label); everywhere && distinct > 1 {
			labels = append(labels, label)
		}
	}
	return labels
}

func labelProblems(set []*Deployment, label string) []Problem {
	var problems []Problem
	carriers := map[string][]*Deployment{}
	for _, d := range set {
		v, ok := d.PodLabels[label]
		if !ok {
			problems = append(problems, Problem{
				Code: CodeNoVersionLabel, Severity: Error, Object: "Deployment/" + d.Name,
				Message: "the pods of Deployment " + d.Name + " have no label " + label,
			})
			continue
		}
		carriers[v] = append(carriers[v], d)
		if n := len(carriers[v]); n == 2 {
			problems = append(problems, Problem{
				Code: CodeDuplicateVersion, Severity: Error, Object: "Deployment/" + d.Name,
				Message: "version " + v + " (label " + label + ") is carried by two Deployments: " + names(carriers[v]),
			})
		}
	}
	return problems
}

// selectorLabel is the one label key in which the Deployments' selectors differ.
func selectorLabel(set []*Deployment) (string, bool) {
	var differ []string
	for key := range set[0].MatchLabels {
		seen := map[string]bool{}
		for _, d := range set {
			if v, ok := d.MatchLabels[key]; ok && d.PodLabels[key] == v {
				seen[v] = true
			}
		}
		if len(seen) == len(set) {
			differ = append(differ, key)
		} else if len(seen) != 1 {
			return "", false
		}
	}
	if len(differ) != 1 {
		return "", false
	}
	return differ[0], true
}

func names(set []*Deployment) string {
	all := make([]string, len(set))
	for i, d := range set {
		all[i] = d.Name
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
