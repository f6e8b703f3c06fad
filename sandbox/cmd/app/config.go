package main

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// million is what ERROR_RATE is counted in, so that a share is exact.
const million = 1_000_000

type config struct {
	address, port string // no address is every one of the machine
	version       string
	readyAfter    time.Duration // from the start
	latency       time.Duration
	errors        uint64 // of a million requests
	memory        int64  // bytes
	drain         bool
	drainFor      time.Duration
}

// configure reads the environment; the error names the first variable that is wrong.
func configure(getenv func(string) string) (config, error) {
	var c config
	var wrong error
	read := func(name, unset, kind string, set func(string) bool) {
		value := getenv(name)
		if value == "" {
			value = unset
		}
		if !set(value) && wrong == nil {
			wrong = fmt.Errorf("%s=%q is not %s", name, value, kind)
		}
	}
	text := func(to *string) func(string) bool {
		return func(value string) bool { *to = value; return true }
	}
	duration := func(to *time.Duration) func(string) bool {
		return func(value string) (ok bool) {
			var err error
			*to, err = time.ParseDuration(value)
			return err == nil && *to >= 0
		}
	}
	read("ADDRESS", "", "an address", text(&c.address))
	read("PORT", "8001", "a port", func(value string) bool {
		c.port = value
		_, err := strconv.ParseUint(value, 10, 16)
		return err == nil
	})
	read("VERSION", "unknown", "a version", text(&c.version))
	read("READY_AFTER", "0s", "a duration such as 5s", duration(&c.readyAfter))
	read("LATENCY", "0s", "a duration such as 10ms", duration(&c.latency))
	read("ERROR_RATE", "0", "a share from 0 to 1", func(value string) bool {
		share, err := strconv.ParseFloat(value, 64)
		c.errors = uint64(math.Round(share * million))
		return err == nil && share >= 0 && share <= 1
	})
	read("MEMORY", "0", "a number of bytes such as 64Mi", func(value string) bool {
		quantity, err := resource.ParseQuantity(value)
		c.memory = quantity.Value()
		return err == nil && c.memory >= 0
	})
	read("DRAIN", "false", "true or false", func(value string) bool {
		c.drain = value == "true"
		return c.drain || value == "false"
	})
	read("DRAIN_FOR", "5s", "a duration such as 5s", duration(&c.drainFor))
	return c, wrong
}
