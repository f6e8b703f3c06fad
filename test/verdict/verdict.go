// Package verdict measures how long it takes to be told that a version does not come up: by `shift`, and by `kubectl rollout
// status` after the same `kubectl scale`.
package verdict

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-canary/kubectl-canary/test/markdown"
	"github.com/kubectl-canary/kubectl-canary/test/messenger"
	"github.com/kubectl-canary/kubectl-canary/test/patience"
	"github.com/kubectl-canary/kubectl-canary/test/process"
	"github.com/kubectl-canary/kubectl-canary/test/witness"
)

// Cluster is the sandbox, and the commands that are measured on it.
type Cluster struct {
	Client     kubernetes.Interface
	Root       string // of the repository
	Kubectl    string // the program
	Plugin     string // the program
	Kubeconfig string // of somebody who may do everything
}

// cause is why v2 does not come up.
type cause struct {
	words string // for people
	fault string // the sandbox's; empty for a quota
	code  string // a reason of the pods or of the Deployment, by which the cause is there for all to see
	after int32  // restarts before it counts
}

var causes = []cause{
	{"an image that the node must have, and has not", "image-never-pull", "ErrImageNeverPull", 0},
	{"an image name that is none", "invalid-image", "InvalidImageName", 0},
	{"an image that is not in the registry", "image-pull", "ImagePullBackOff", 0},
	{"a missing Secret", "config-error", "CreateContainerConfigError", 0},
	{"a command that is not in the image", "run-error", "RunContainerError", 0},
	{"a crash loop", "crash-loop", "CrashLoopBackOff", 2},
	{"a crash loop, out of memory", "oom", "CrashLoopBackOff", 2},
	{"a quota that is used up", "", "FailedCreate", 0},
	{"a readiness probe that fails", "never-ready", "", 0},
}

// row is what was measured of a cause.
type row struct {
	cause
	shift, shown, rollout time.Duration // shown is from when the cause was there to the end of shift
	exit, rolloutExit     int
	named                 string
}

// Table measures all causes, at the same time, and returns a table in Markdown. limit is the --timeout of both commands: what
// it is set to, causes that may pass and `kubectl rollout status` take; its own default is to wait for ever.
func Table(ctx context.Context, c Cluster, limit time.Duration) (string, error) {
	rows := make([]row, len(causes))
	group, ctx := errgroup.WithContext(ctx)
	for i := range causes {
		group.Go(func() (err error) {
			rows[i], err = c.measure(ctx, causes[i], fmt.Sprintf("verdict-%d-%d", os.Getpid(), i), limit)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return "", err
	}
	var out strings.Builder
	t := markdown.NewTable(&out, "v2 has", "`shift --to 50` ends", "after the cause shows", "exit code", "and names", "`kubectl rollout status` ends", "exit code")
	seconds := func(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s" }
	for _, r := range rows {
		shown := "-"
		if r.shown > 0 {
			shown = seconds(r.shown)
		}
		t.Row(r.words, seconds(r.shift), shown, strconv.Itoa(r.exit), r.named, seconds(r.rollout), strconv.Itoa(r.rolloutExit))
	}
	return out.String(), nil
}

func (c Cluster) measure(ctx context.Context, why cause, ns string, limit time.Duration) (r row, err error) {
	r.cause = why
	if err := messenger.CreateNamespace(ctx, c.Client, ns); err != nil {
		return r, err
	}
	defer func() {
		err = errors.Join(err, c.Client.CoreV1().Namespaces().Delete(context.WithoutCancel(ctx), ns, metav1.DeleteOptions{}))
	}()
	o := messenger.Options{Services: []string{"auth"}, Replicas: map[string]int32{"auth-v2": 0}}
	if why.fault != "" {
		o.Annotations = map[string]map[string]string{"auth-v2": {"fault": why.fault}}
	}
	if err := messenger.Deploy(ctx, c.Client, ns, c.Root, o); err != nil {
		return r, err
	}
	if err := patience.Until(func() error { return messenger.Ready(ctx, c.Client, ns) }); err != nil {
		return r, err
	}
	if why.fault == "" {
		quota := &corev1.ResourceQuota{
			ObjectMeta: metav1.ObjectMeta{Name: "tight"},
			Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"pods": resource.MustParse("3")}},
		}
		if _, err := c.Client.CoreV1().ResourceQuotas(ns).Create(ctx, quota, metav1.CreateOptions{}); err != nil {
			return r, err
		}
	}
	h, err := witness.Watch(c.Client, ns) //nolint:contextcheck // it ends with its End
	if err != nil {
		return r, err
	}
	defer h.End()
	// --force: whether the quota has room is asked before, and this is about what comes after.
	shift, err := c.run(ctx, ns, c.Plugin, "shift", "--to", "50", "--force", "--timeout", limit.String())
	if err != nil {
		return r, err
	}
	events, err := h.Sorted(ctx)
	if err != nil {
		return r, err
	}
	for _, e := range events {
		if why.shows(e.Object) && e.Seen.After(shift.Since) {
			r.shown = shift.Until.Sub(e.Seen)
			break
		}
	}
	r.shift, r.exit, r.named = shift.Until.Sub(shift.Since), shift.Cmd.ProcessState.ExitCode(), reason(shift.Stderr.String())
	if _, err := c.run(ctx, ns, c.Kubectl, "scale", "deployment/auth-v2", "--replicas=2"); err != nil {
		return r, err
	}
	rollout, err := c.run(ctx, ns, c.Kubectl, "rollout", "status", "deployment/auth-v2", "--timeout="+limit.String())
	if err != nil {
		return r, err
	}
	r.rollout, r.rolloutExit = rollout.Until.Sub(rollout.Since), rollout.Cmd.ProcessState.ExitCode()
	return r, nil
}

// run waits for a command's end, however it ends.
func (c Cluster) run(ctx context.Context, ns, program string, args ...string) (*process.Process, error) {
	cmd := exec.CommandContext(ctx, program, append(args, "-n", ns, "--kubeconfig", c.Kubeconfig)...)
	p, err := process.Start(cmd)
	if err != nil {
		return nil, err
	}
	<-p.Ended
	return p, ctx.Err()
}

// shows says whether an object tells the cause.
func (why cause) shows(object metav1.Object) bool {
	switch o := object.(type) {
	case *corev1.Pod:
		for _, s := range o.Status.ContainerStatuses {
			if s.State.Waiting != nil && s.State.Waiting.Reason == why.code && s.RestartCount >= why.after {
				return true
			}
		}
	case *appsv1.Deployment:
		for _, c := range o.Status.Conditions {
			if c.Type == appsv1.DeploymentReplicaFailure && c.Reason == why.code {
				return true
			}
		}
	}
	return false
}

// serving is how shift says what is wrong: how many pods serve, and why no more, of which this keeps the reason alone.
var serving = regexp.MustCompile(`(?m)^error: .* pods of v2 serve(?: after [^:]*)?: (?:pod \S+ )?(.*?)(?: \(.*)?$`)

func reason(stderr string) string {
	if m := serving.FindStringSubmatch(stderr); m != nil {
		return m[1]
	}
	return "nothing"
}
