package canary

import "testing"

// With a target it is said what the autoscaler makes of it.
func TestAutoscaledTarget(t *testing.T) {
	for _, tc := range []struct {
		on     string
		keda   string
		target Split
		want   string
	}{
		{"auth-v1", "", Split{0, 3}, "HorizontalPodAutoscaler hpa scales Deployment auth-v1 between 2 and 4: it is switched off while v1 is at 0, and a rollback would set it going again, from the replicas of then"},
		{"auth-v1", "web", Split{0, 3}, "KEDA (ScaledObject web) scales Deployment auth-v1 between 2 and 4: it would start v1 again from 0, at once or when its trigger says so"},
		{"auth-v1", "", Split{1, 3}, "HorizontalPodAutoscaler hpa scales Deployment auth-v1 between 2 and 4: it would set v1 back from 1 to at least 2"},
		{"auth-v1", "", Split{2, 2}, "HorizontalPodAutoscaler hpa scales Deployment auth-v1 between 2 and 4: it would not leave v1 at 2, but scale it by its own numbers"},
		{"auth-v2", "web", Split{2, 5}, "KEDA (ScaledObject web) scales Deployment auth-v2 between 2 and 4: it would set v2 back from 5 to at most 4"},
		{"auth-v2", "", Split{2, 4}, "HorizontalPodAutoscaler hpa scales Deployment auth-v2 between 2 and 4: it would not leave v2 at 4, but scale it by its own numbers"},
	} {
		s := auth(3, 1)
		s.Autoscalers = []Autoscaler{{Name: "other", Deployment: "chat-v1", Min: 1, Max: 9}, {Name: "hpa", Deployment: tc.on, Min: 2, Max: 4, KEDA: tc.keda}}
		got := PreflightTo(one(s, Options{}), s, false, tc.target)
		if len(got) != 1 || got[0].Message != tc.want || len(got[0].Next) != 1 {
			t.Errorf("%s to %s: %+v", tc.on, tc.target, got)
		}
	}
}
