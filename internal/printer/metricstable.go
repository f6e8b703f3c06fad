package printer

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Metrics shows to people how versions do.
type Metrics struct {
	Style     Style
	Wide      bool
	NoHeaders bool
}

// Print writes a row for each version, and below them where the figures are from and what is missing.
func (m Metrics) Print(w io.Writer, all []VersionMetrics, gaps []Gap) error {
	_, err := io.WriteString(w, strings.Join(m.Lines(all, gaps), "\n")+"\n")
	return err
}

// Lines is what Print writes, in lines.
func (m Metrics) Lines(all []VersionMetrics, gaps []Gap) []string {
	out, probed := table{style: m.Style}, slices.ContainsFunc(all, func(v VersionMetrics) bool { return v.Probes != nil })
	if !m.NoHeaders {
		head := []string{"SERVICE", "VERSION", "PODS", "WEIGHT", "SHARE", "REQ/S", "ERRORS", "P50", "P99", "CPU", "MEMORY", "RESTARTS"}
		if m.Wide {
			head = append(head, "P95", "CPU/LIMIT", "MEMORY/LIMIT", "OOM-KILLED", "FLAPS", "WARNINGS")
		}
		if probed {
			head = append(head, "PROBES", "PROBE-ERRORS", "PROBE-P50", "PROBE-P99")
		}
		out.header(head...)
	}
	for _, v := range all {
		out.add(m.row(v, probed)...)
	}
	return append(out.lines(), m.footer(all, gaps)...)
}

func (m Metrics) row(v VersionMetrics, probed bool) []cell {
	users, probes, usage := v.Requests, v.Probes, v.Usage
	if users == nil {
		users = &Traffic{}
	}
	perSecond, cpu, memory := "-", "-", "-"
	if v.Requests != nil {
		perSecond = decimal(users.PerSecond)
	}
	if usage != nil {
		cpu, memory = fmt.Sprintf("%dm", int(usage.CPU*1000+0.5)), fmt.Sprintf("%dMi", int(usage.Memory/(1<<20)+0.5))
	}
	row := []cell{
		{text: Safe(v.Release)}, {text: Safe(v.Version)}, {text: fmt.Sprintf("%d/%d", v.ReadyEndpoints, v.Replicas)},
		{text: percent(v.Weight)}, {text: percent(v.Share)}, {text: perSecond}, failures(users), {text: users.latency(users.P50)}, {text: users.latency(users.P99)},
		{text: cpu}, {text: memory}, count(v.Restarts, v.Life.Restarts > 0),
	}
	if m.Wide {
		row = append(row, cell{text: users.latency(users.P95)}, cell{text: "-"}, cell{text: "-"}, count(v.Life.OOMKilled, true), count(v.Life.Flaps, true), count(v.Life.Warnings, true))
		if usage != nil {
			row[13].text, row[14].text = percent(usage.CPUOfLimit), percent(usage.MemoryOfLimit)
		}
	}
	if probed {
		sent := "-"
		if probes != nil {
			sent = decimal(probes.Total)
		} else {
			probes = &Traffic{}
		}
		row = append(row, cell{text: sent}, failures(probes), cell{text: probes.latency(probes.P50)}, cell{text: probes.latency(probes.P99)})
	}
	return row
}

// footer says where the figures are from, each source once, and what is missing, of which versions.
func (m Metrics) footer(all []VersionMetrics, gaps []Gap) []string {
	var from, lines []string
	say := func(what, source string, seconds float64) {
		line := fmt.Sprintf("%s: %s", what, Safe(source))
		if seconds > 0 {
			line += ", over " + time.Duration(seconds*float64(time.Second)).Round(100*time.Millisecond).String()
		}
		if source != "" && !slices.Contains(from, line) {
			from = append(from, line)
		}
	}
	for _, v := range all {
		if v.Requests != nil {
			say("requests", v.Requests.Source, v.Seconds)
		}
	}
	for _, v := range all {
		if v.Usage != nil {
			say("CPU and memory", v.Usage.Source+", mean of the pods at the moment", 0)
		}
		if v.Probes != nil {
			say("probes", v.Probes.Source+" through the API server, which takes a part of the time", v.Seconds)
		}
	}
	slices.SortStableFunc(from, strings.Compare)
	var told []Gap
	mended := ""
	for _, gap := range gaps {
		same := func(g Gap) bool { return g.What == gap.What && g.Why == gap.Why }
		if slices.ContainsFunc(told, same) {
			continue
		}
		told = append(told, gap)
		var of []string
		for _, g := range gaps {
			if g.Release != "" && same(g) {
				of = append(of, Safe(g.Release)+" "+Safe(g.Version))
			}
		}
		line := "no " + gap.What + ": " + short(gap.Why)
		if len(of) > 0 {
			line = strings.Join(of, ", ") + ": " + line
		}
		if n := len(lines); n > 0 && mended != "" && mended == gap.Mend {
			lines = lines[:n-1] // said once, below all that it mends
		}
		lines = append(lines, m.Style.paint(yellow, line))
		if mended = gap.Mend; mended != "" {
			lines = append(lines, "  "+mended)
		}
	}
	if len(from)+len(lines) == 0 {
		return nil
	}
	return slices.Concat([]string{""}, from, lines)
}

// failures is the share of errors; red when there are any.
func failures(t *Traffic) cell {
	c := cell{text: percent(t.ErrorShare)}
	if t.ErrorShare != nil && *t.ErrorShare > 0 {
		c.color = red
	}
	return c
}

// count is a number; one that tells of trouble is yellow unless it is 0.
func count(n int, trouble bool) cell {
	c := cell{text: fmt.Sprint(n)}
	if trouble && n > 0 {
		c.color = yellow
	}
	return c
}

func percent(w *canary.Weight) string {
	if w == nil {
		return "-"
	}
	return w.String() + "%"
}

// latency shows a quantile; one that is as high as the histogram can tell may be higher.
func (t *Traffic) latency(q *float64) string {
	if q == nil {
		return "-"
	}
	s := brief(time.Duration(*q * float64(time.Second)))
	if t.Highest != nil && *q >= *t.Highest {
		s = ">=" + s
	}
	return s
}

// brief is a duration with two or three digits: nobody reads more, and no histogram knows more.
func brief(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		d = d.Round(time.Second)
	case d >= time.Second:
		d = d.Round(100 * time.Millisecond)
	case d >= 10*time.Millisecond:
		d = d.Round(time.Millisecond)
	case d >= time.Millisecond:
		d = d.Round(100 * time.Microsecond)
	default:
		d = d.Round(time.Microsecond)
	}
	return d.String()
}

// decimal is a number with one digit after the point, below 100.
func decimal(n float64) string {
	if n >= 100 || n == float64(int(n)) {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.1f", n)
}
