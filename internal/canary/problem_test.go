package canary

import "testing"

func TestSentence(t *testing.T) {
	for _, tc := range []struct{ object, message, want string }{
		{"Pod/auth-v2-x", "ImagePullBackOff", "pod auth-v2-x ImagePullBackOff"},
		{"Deployment/auth-v2", "Deployment auth-v2 is paused", "Deployment auth-v2 is paused"},
	} {
		if got := (Problem{Object: tc.object, Message: tc.message}).Sentence(); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}
