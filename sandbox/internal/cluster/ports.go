package cluster

import "net"

// freePorts finds n ports of the loopback address that nobody listens on. They are all held until the last is found, so that they
// differ; another program may still take one before its component does.
func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}
