package analysis

import (
	"context"
	"errors"
	"fmt"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

const (
	usageSource = "metrics.k8s.io"
	mayNotList  = "you may not list pods of metrics.k8s.io"
	// fewVersions is up to how many have their usage listed one by one; a list of the namespace costs less than more of them.
	fewVersions = 8
)

func (w *Watcher) readUsage(ctx context.Context, win *window) {
	if !w.allowed(ctx, win.namespace, canary.ListPodUsage) {
		w.mu.Lock()
		defer w.mu.Unlock()
		win.noUsage = mayNotList
		return
	}
	all, err := w.listUsage(ctx, win)
	if givenUp(ctx) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	win.noUsage = ""
	if err != nil {
		win.noUsage = oneLine(err.Error())
	}
	for _, v := range win.versions {
		switch {
		case errors.Is(err, canary.ErrAbsent):
			v.usage = nil
		case err != nil:
			v.usage = &Usage{Source: usageSource, Problem: win.noUsage}
		default:
			v.usage = usageOf(win.podsOf(v), all)
		}
	}
}

func (w *Watcher) listUsage(ctx context.Context, win *window) (all []canary.Used, err error) {
	selectors := []string{""}
	w.mu.Lock()
	if len(win.versions) <= fewVersions {
		selectors = nil
		for _, v := range win.versions {
			selectors = append(selectors, fmt.Sprint(v.now.Deployment.Selector))
		}
	}
	w.mu.Unlock()
	listed := map[canary.Used]bool{} // selectors may overlap
	for _, selector := range selectors {
		some, err := w.cluster.PodUsage(ctx, win.namespace, selector)
		if err != nil {
			return nil, err
		}
		for _, used := range some {
			key := canary.Used{Pod: used.Pod, Container: used.Container}
			if !listed[key] {
				listed[key] = true
				all = append(all, used)
			}
		}
	}
	return all, nil
}

// usageOf is the mean of the pods that are measured, each the sum of its containers.
func usageOf(pods []*pod, all []canary.Used) *Usage {
	limits := map[string]map[string]canary.Resources{}
	for _, p := range pods {
		if !p.gone {
			limits[p.Name] = p.Limits
		}
	}
	u, measured := &Usage{Source: usageSource}, map[string]bool{}
	for _, used := range all {
		of, ours := limits[used.Pod]
		if !ours {
			continue
		}
		measured[used.Pod] = true
		cpu, memory, limit := float64(used.NanoCPU)/1e9, float64(used.MemoryBytes), of[used.Container]
		u.CPU += cpu
		u.Memory += memory
		u.CPUOfLimit = closest(u.CPUOfLimit, cpu, float64(limit.MilliCPU)/1e3)
		u.MemoryOfLimit = closest(u.MemoryOfLimit, memory, float64(limit.MemoryBytes))
	}
	if u.Pods = len(measured); u.Pods == 0 {
		u.Problem = usageSource + " has no figures of its pods"
		return u
	}
	u.CPU /= float64(u.Pods)
	u.Memory /= float64(u.Pods)
	return u
}

// closest is the larger of a share and that of another limit; a limit of 0 is none.
func closest(share *float64, used, limit float64) *float64 {
	if limit == 0 || share != nil && *share >= used/limit {
		return share
	}
	of := used / limit
	return &of
}
