package plugin

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// askDrain asks whether the user may take pods out of their Services, where that is of use. What keeps pods is refused
// without it; everything else goes on without.
func (r *run) askDrain(ctx context.Context, all []planned) error {
	if !slices.ContainsFunc(all, func(p planned) bool { return p.release.Drain != "" && !p.idle() }) {
		return nil
	}
	if r.mayDrain = r.client.MayDrain(ctx, r.namespace); r.mayDrain {
		return nil
	}
	text := fmt.Sprintf("you may not patch pods in namespace %q", r.namespace)
	if r.ask.Keep {
		return fmt.Errorf("%s, which --keep and --bake need (docs/rbac.md): nothing was written", text)
	}
	r.warn(text + ": pods are stopped while they are still in the Service")
	return nil
}

// still is how long endpoints must have been unchanged before a side is lowered without a drain.
func (r *run) still() time.Duration {
	if r.ask.Now {
		return 0
	}
	return still
}
