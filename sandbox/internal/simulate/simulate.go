// Package simulate says how simulated nodes and pods behave: it writes the stages that kwok plays.
package simulate

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"
	"strings"

	"sigs.k8s.io/kwok/kustomize/stage/node/fast"
	"sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	"sigs.k8s.io/yaml"
)

//go:embed status.tmpl
var statusTemplate string

// ContainerLog is what `kubectl logs` shows of every simulated container, in the format that container runtimes write.
const ContainerLog = "2026-01-01T00:00:00.000000000Z stdout F simulated container: it writes nothing\n"

type object = map[string]any

// between is what stands between template actions for the reader's sake. It would be part of the YAML.
var between = regexp.MustCompile(`}}\s+{{`)

// Config is kwok's configuration file. logFile is a file with ContainerLog.
func Config(logFile string) ([]byte, error) {
	docs := []string{fast.DefaultNodeInit, heartbeat_with_lease.DefaultNodeHeartbeatWithLease}
	objects := []object{
		{
			"apiVersion": "config.kwok.x-k8s.io/v1alpha1",
			"kind":       "KwokConfiguration",
			// a configuration replaces all defaults; this one plays more at once, for tests with thousands of pods
			"options": object{
				"podPlayStageParallelism": 16, "nodePlayStageParallelism": 4, "podsOnNodeSyncParallelism": 4,
				"nodeLeaseParallelism": 4, "nodeLeaseDurationSeconds": 40,
				"enableDebuggingHandlers": true, "enableProfilingHandler": false, "enableContentionProfiling": false,
				"enablePodsOnNodeSyncListPager": true, "enablePodsOnNodeSyncStreamWatch": false,
			},
		},
		{
			"apiVersion": "kwok.x-k8s.io/v1alpha1",
			"kind":       "ClusterLogs",
			"metadata":   object{"name": "all"},
			"spec":       object{"logs": []object{{"logsFile": logFile, "previousLogsFile": logFile}}},
		},
	}
	for _, s := range podStages {
		objects = append(objects, s.object())
	}
	for _, o := range objects {
		doc, err := yaml.Marshal(o)
		if err != nil {
			return nil, err
		}
		docs = append(docs, string(doc))
	}
	var out bytes.Buffer
	for _, doc := range docs {
		fmt.Fprintf(&out, "---\n%s\n", strings.TrimSpace(doc))
	}
	return out.Bytes(), nil
}

// object is the stage as kwok reads it.
func (s stage) object() object {
	spec := object{
		"resourceRef": object{"apiGroup": "v1", "kind": "Pod"},
		"selector": object{"matchExpressions": []object{
			{"jq": object{"key": jq + s.when, "operator": "In", "values": []string{"true"}}},
		}},
	}
	if s.after != "" {
		spec["delay"] = object{
			"durationMilliseconds": 0,
			"durationFrom":         object{"jq": object{"expression": jq + "(" + s.after + ") | floor | tostring + \"ms\""}},
		}
	}
	var steps []object
	if reason, message, ok := strings.Cut(s.event, ": "); ok {
		steps = append(steps, object{"event": object{"type": "Warning", "reason": reason, "message": message}})
	}
	if s.set == "" {
		steps = append(steps, object{"delete": true})
	} else {
		steps = append(steps, object{"patch": object{"subresource": "status", "template": between.ReplaceAllString(s.set+statusTemplate, "}}{{")}})
	}
	spec["steps"] = steps
	return object{"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", "metadata": object{"name": "pod-" + s.name}, "spec": spec}
}
