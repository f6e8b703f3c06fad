package cluster

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports below those that systems give to clients: a client that dials a component which is being restarted may else be given
// the very port, and keep the component from it.
const (
	lowestPort  = 16000
	highestPort = 32000
)

// freePorts finds n ports of the loopback address that nobody listens on. They are all held until the last is found, so that they
// differ; another program may still take one before its component does.
func freePorts(n int) ([]int, error) {
	var found []int
	var last error
	for range n + 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", lowestPort+rand.N(highestPort-lowestPort)))
		if err != nil {
			last = err
			continue
		}
		defer l.Close()
		if found = append(found, l.Addr().(*net.TCPAddr).Port); len(found) == n {
			return found, nil
		}
	}
	return nil, last
}
