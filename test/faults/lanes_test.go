package faults

import (
	"sync"
	"testing"

	"github.com/kubectl-canary/kubectl-canary/test/messenger"
)

// quick is four services whose pods come and go at once.
func quick() messenger.Options {
	return messenger.Options{
		Services: messenger.Services, Annotations: map[string]map[string]string{"": {"ready-after": "0s", "terminate-after": "0s"}},
	}
}

// inLanes does n things in several scenes at once; in each of them one after another.
func inLanes(t *testing.T, lanes, n int, prepare func(s *scene), do func(s *scene, i int)) {
	next := make(chan int)
	go func() {
		defer close(next)
		for i := range n {
			select {
			case next <- i:
			case <-t.Context().Done():
				return
			}
		}
	}()
	var all sync.WaitGroup
	for range min(lanes, n) {
		s := newScene(t, quick())
		prepare(s)
		all.Go(func() {
			for i := range next {
				do(s, i)
				if (i+1)%20 == 0 {
					say("%s: %d of %d", t.Name(), i+1, n)
				}
			}
		})
	}
	all.Wait()
}
