package faults

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pods are those that do not come up: chat's second version is broken, and auth's is not.
func pods() []trial {
	sick := func(name, fault, code string, exit int, says ...string) trial {
		return trial{
			name: "pods-" + name, fault: fault, sick: map[string]map[string]string{"chat-v2": {"fault": name}},
			args: []string{"shift", "--to", "50", "--timeout", "12s"},
			exit: exit, end: "as before", floor: 3, loop: "0, as planned, floor broken",
			says: append([]string{`^error: chat: 0 of 2 pods of v2 serve`, code, `^auth: put back to v1 3, v2 1 `}, says...),
			mend: func(s *scene) { s.heal("chat-v2") },
		}
	}
	all := []trial{
		sick("crash-loop", "new pods crash", `CrashLoopBackOff`, 1),
		sick("oom", "new pods run out of memory", `OOMKilled`, 1),
		sick("invalid-image", "the name of the image cannot be", `InvalidImageName`, 1),
		sick("image-never-pull", "the image may not be pulled", `ErrImageNeverPull`, 1),
		sick("config-error", "a ConfigMap of new pods is not there", `CreateContainerConfigError`, 1),
		sick("image-pull", "the image cannot be pulled; `--timeout 12s`", `(ErrImagePull|ImagePullBackOff)`, 124),
		sick("never-ready", "new pods are never ready; `--timeout 12s`", `after 12s`, 124),
	}
	quota := trial{
		name: "pods-quota", fault: "a quota leaves no room for new pods, and the plan is forced",
		around: func(s *scene) func() { return s.quota(8) },
		args:   []string{"shift", "--to", "50", "--force"},
		exit:   1, end: "as before", loop: "0, as planned, floor broken",
		says: []string{`FailedCreate`, `exceeded quota`, `^auth: put back to v1 3, v2 1 `},
	}
	return append(all, quota)
}

// heal takes the fault away from a Deployment's pods, which are rolled out anew.
func (s *scene) heal(deployment string) {
	s.Helper()
	s.annotate(deployment, nil)
	time.Sleep(time.Second) // the controller has to see it
	s.ready()
}

// quota allows no more pods than so many, until end.
func (s *scene) quota(most int64) (end func()) {
	s.Helper()
	api := cluster.client.CoreV1().ResourceQuotas(s.namespace)
	_, err := api.Create(s.Context(), &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "tight"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: *resource.NewQuantity(most, resource.DecimalSI)}},
	}, metav1.CreateOptions{})
	s.must(err)
	return func() { s.must(api.Delete(context.Background(), "tight", metav1.DeleteOptions{})) }
}
