package markdown

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Sample is one figure of all runs.
type Sample struct{ Median, Least, Most float64 }

// Summary sums up at least one figure.
func Summary(all []float64) Sample {
	all = slices.Sorted(slices.Values(all))
	middle := len(all) / 2
	median := all[middle]
	if len(all)%2 == 0 {
		median = (all[middle-1] + all[middle]) / 2
	}
	return Sample{median, all[0], all[len(all)-1]}
}

// In prints the median and the spread in a unit: s, ms for what is short, or MB.
func (s Sample) In(unit string) string {
	scale, digits := 1.0, 2
	switch {
	case unit == "s" && s.Median < 1:
		scale, digits, unit = 1000, 0, "ms"
	case unit == "s" && s.Median >= 10:
		digits = 1
	case unit == "MB":
		digits = 0
	}
	return fmt.Sprintf("%.*f %s (%.*f–%.*f)", digits, s.Median*scale, unit, digits, s.Least*scale, digits, s.Most*scale)
}

// Machine says on what it was measured.
func Machine() string {
	return fmt.Sprintf("%s, %d processors, %s GB of memory, Linux %s", fact("/proc/cpuinfo", `model name\s*: (.*)`),
		runtime.NumCPU(), gigabytes(fact("/proc/meminfo", `MemTotal:\s*(\d+)`)), fact("/proc/sys/kernel/osrelease", `^(\d+\.\d+)`))
}

// fact is what a pattern finds in a file of the kernel.
func fact(file, pattern string) string {
	text, err := os.ReadFile(file)
	if m := regexp.MustCompile(pattern).FindSubmatch(text); err == nil && m != nil {
		return strings.TrimSpace(string(m[1]))
	}
	return "unknown"
}

func gigabytes(kB string) string {
	n, err := strconv.ParseFloat(kB, 64)
	if err != nil {
		return kB
	}
	return fmt.Sprintf("%.0f", n/(1<<20))
}
