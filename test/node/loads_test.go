package node

import "testing"

// loads are load generators at work on each service.
type loads map[string]*load

// each is the requests in a second that a service gets when all four do: together they are rate.
const each = rate / 4

func startLoads(t testing.TB, namespace string) loads {
	t.Helper()
	forgetConnections(t)
	all := loads{}
	for _, service := range services {
		all[service] = request(t, namespace, service, each)
	}
	return all
}

// stop ends them, and returns what became of the requests, by service.
func (l loads) stop() reports {
	all := reports{}
	for service, one := range l {
		all[service] = one.stop()
	}
	return all
}

type reports map[string]report

// sum has the requests of all services, and those that failed.
func (r reports) sum() (requests, failed int) {
	for _, one := range r {
		requests += one.Requests
		failed += one.Failed
	}
	return requests, failed
}

// version has the requests that a version of any service has answered.
func (r reports) version(version string) (requests int) {
	for _, one := range r {
		requests += one.Versions[version].Requests
	}
	return requests
}
