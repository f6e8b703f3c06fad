package canary

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// The marks of OpenKruise Rollouts on what it moves, and on the Deployments that it makes.
const (
	markKruise        = "rollouts.kruise.io/in-progressing"
	markKruiseCanary  = "rollouts.kruise.io/canary-deployment"
	markKruiseControl = "batchrelease.rollouts.kruise.io/control-info"
	markKruisePlan    = "rollouts.kruise.io/deployment-strategy"
)

// rolloutTool is a controller that moves releases by itself.
type rolloutTool struct {
	name, kind string
	resource   string // as kubectl takes it
}

var (
	argoRollouts = rolloutTool{"Argo Rollouts", "Rollout", "rollouts.argoproj.io"}
	flagger      = rolloutTool{"Flagger", "Canary", "canaries.flagger.app"}
	openKruise   = rolloutTool{"OpenKruise", "Rollout", "rollouts.rollouts.kruise.io"}
)

// controlledProblems are of Services and Deployments that another tool for releases drives.
func controlledProblems(r *Release) (found []Problem) {
	for _, svc := range r.Services {
		if tool, name, ok := drives(svc.Marks, svc.Owner, ""); ok {
			found = append(found, tool.problem("Service", svc.Name, name, "it gives the Service the pods of its own step"))
		}
	}
	for _, v := range []*Version{r.Stable, r.Canary} {
		d := &v.Deployment
		if tool, name, ok := drives(d.Marks, d.Owner, d.Writer.Manager); ok {
			found = append(found, tool.problem("Deployment", d.Name, name, "it sets replicas by its own steps"))
		}
	}
	return found
}

// drives tells from marks, owner and last writer which tool an object belongs to, and by the name of which object of the
// tool; that is empty where it is not known.
func drives(marks map[string]string, owner, writer string) (tool rolloutTool, name string, ok bool) {
	kind, name, _ := strings.Cut(owner, "/")
	progress, kruised := marks[markKruise]
	for _, mark := range []string{markKruiseCanary, markKruiseControl, markKruisePlan} {
		kruised = kruised || marks[mark] != ""
	}
	switch {
	case kind == "Canary":
		return flagger, name, true
	case kruised || kind == "BatchRelease":
		var state struct {
			RolloutName string `json:"rolloutName"`
		}
		_ = json.Unmarshal([]byte(progress), &state) // without it the name is not known
		return openKruise, state.RolloutName, true
	case kind == "Rollout":
		return argoRollouts, name, true
	case marks[markArgoRollouts] != "":
		return argoRollouts, marks[markArgoRollouts], true
	case writer == "rollouts-controller":
		return argoRollouts, "", true
	case writer == "flagger":
		return flagger, "", true
	}
	return tool, "", false
}

// objectName is what may stand in a command without quotes.
var objectName = regexp.MustCompile(`^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$`)

func (t rolloutTool) problem(kind, object, name, does string) Problem {
	next := "get " + t.resource
	if !objectName.MatchString(name) {
		name = ""
	} else {
		next = "delete " + t.resource + " " + name + " --cascade=orphan"
	}
	return Problem{
		Code: CodeControlled, Severity: Error, Object: kind + "/" + object,
		Message: fmt.Sprintf("%s drives %s %s: %s, and would undo a move; one of the two has to leave", named(t.name, t.kind, name), kind, object, does),
		Next:    []string{next},
	}
}
