package analysis

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// percent shows a share with as many decimals as it takes to tell small ones.
func percent(share float64) string { return digits(100*share) + "%" }

// amount shows how many.
func amount(n float64) string { return strconv.FormatFloat(math.Round(n), 'f', -1, 64) }

// digits shows a number with three digits that count.
func digits(x float64) string {
	if x == 0 || math.Abs(x) >= 100 {
		return strconv.FormatFloat(math.Round(x), 'f', -1, 64)
	}
	decimals := 2 - int(math.Floor(math.Log10(math.Abs(x))))
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', min(decimals, 6), 64), 64)
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// took shows how long a request takes.
func took(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Microsecond).String()
}

// size shows bytes.
func size(b float64) string { return fmt.Sprintf("%sMi", digits(b/(1<<20))) }
