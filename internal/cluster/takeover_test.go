package cluster

import (
	"net/http"
	"testing"
)

// A lock is taken over, though its holder goes on writing to it, or gives it back just then.
func TestTakeOverOfABusyLock(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.takenBy("joe")
		live := read(t, c, Want{})
		writes := 0
		a.answer = func(r *http.Request, effective bool) (*http.Response, error) {
			if r.Method == http.MethodPut && !effective {
				if writes++; writes == 1 {
					a.takenBy("joe")
				} else if writes == 2 {
					a.takenBy("")
				}
			}
			return nil, nil
		}
		lock, err := live.Acquire(t.Context(), "auth", "jane", record(), true)
		if err != nil || a.lease().Holder != "jane" {
			t.Fatalf("%v, %s has it", err, a.lease().Holder)
		}
		if err := lock.Release(t.Context(), nil); err != nil {
			t.Error(err)
		}
	})
}
