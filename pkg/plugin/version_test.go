package plugin

import (
	"runtime/debug"
	"testing"
)

func TestBuiltVersion(t *testing.T) {
	for _, tc := range []struct {
		linked, module string
		known          bool
		want           string
	}{
		{"v1.2.3", "v1.2.2", true, "v1.2.3"},
		{"", "v1.2.2", true, "v1.2.2"},
		{"", "(devel)", true, "v0.0.0-dev"},
		{"", "", true, "v0.0.0-dev"},
		{"", "v1.2.2", false, "v0.0.0-dev"},
	} {
		was := version
		version = tc.linked
		if got := builtVersion(&debug.BuildInfo{Main: debug.Module{Version: tc.module}}, tc.known); got != tc.want {
			t.Errorf("%+v: %s", tc, got)
		}
		version = was
	}
}
