package analysis

import "math"

// How unlikely it has to be, were the canary as good as it has to be, to see what was seen.
const (
	// definite is a failure: it happens by chance in one of 2000 looks. It is small because a window is looked at again and again,
	// and a migration has many checks and windows; TestGoodCanary holds what comes of it.
	definite = 0.0005
	// doubtful is no verdict: worse than allowed, and more than chance explains well.
	doubtful = 0.05
)

// countable is from where on counts are scaled down, so that a sum has an end: fewer observations only make less of a difference.
const countable = 1e9

// byChance is how likely at least k of n are when each is with probability p: the upper tail of the binomial distribution, exactly.
// It is 1 where k is no more than expected. With p = bound it is the test of a share against a bound (Clopper and Pearson, 1934).
func byChance(k, n, p float64) float64 {
	k, n = math.Floor(k+1e-6), math.Ceil(n-1e-6) // increase() of Prometheus is no whole number
	if n > countable {
		k, n = math.Floor(k*(countable/n)), countable
	}
	switch {
	case k <= 0 || p >= 1 || k <= n*p:
		return 1
	case p <= 0 || k > n:
		return 0
	}
	logGamma := func(x float64) float64 { v, _ := math.Lgamma(x); return v }
	term := math.Exp(logGamma(n+1) - logGamma(k+1) - logGamma(n-k+1) + k*math.Log(p) + (n-k)*math.Log1p(-p))
	sum := 0.0
	for odds := p / (1 - p); k <= n && term > sum*1e-12; k++ {
		sum += term
		term *= (n - k) / (k + 1) * odds
	}
	return min(sum, 1)
}

// worseByChance is how likely the first version has its share of all events, were their rate at most worse times the second's: given
// their sum, the first's are binomial (Przyborowski and Wilenski, 1940). Events are x1 and x2, in n1 and n2 requests or seconds.
func worseByChance(x1, n1, x2, n2, worse float64) float64 {
	return byChance(x1, x1+x2, worse*n1/(worse*n1+n2))
}
