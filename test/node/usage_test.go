package node

import (
	"encoding/json"
	"testing"
	"time"
)

// What pods take is what metrics.k8s.io has of them, by version.
func TestUsage(t *testing.T) {
	onNode(t)
	ns := deploy(t, app{sick: map[string]string{"auth-v2": "MEMORY=64Mi"}})
	all := startLoads(t, ns)
	var list struct {
		Items []struct {
			Usage *struct {
				Pods        int
				CPU, Memory float64 // cores, bytes, of a pod
			}
		}
	}
	known := func() bool {
		out := runs(t, "", "kubectl", "canary", "metrics", "auth", "--window=1s", "-o=json", "-n", ns)
		if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Items) != 2 {
			t.Fatal(err, out)
		}
		v1, v2 := list.Items[0].Usage, list.Items[1].Usage
		return v1 != nil && v1.Pods == 3 && v2 != nil && v2.Pods == 1
	}
	for deadline := time.Now().Add(time.Minute); !known(); time.Sleep(time.Second) {
		if time.Now().After(deadline) {
			t.Fatalf("not all pods are measured: %+v", list)
		}
	}
	all.stop()
	v1, v2 := list.Items[0].Usage, list.Items[1].Usage
	t.Logf("v1: %+v, v2: %+v", *v1, *v2)
	if v1.CPU <= 0 || v1.Memory <= 0 || v1.Memory > 48<<20 || v2.Memory < 64<<20 || v2.Memory > 112<<20 {
		t.Error("want v2 to hold 64 MiB more than v1, which works")
	}
}
