package analysis

// Histogram is how many requests took up to how long: cumulative buckets in order, the last one without a bound.
type Histogram []Bucket

// Bucket counts the requests that took up to UpTo seconds; +Inf in the last one.
type Bucket struct {
	UpTo  float64
	Count float64
}
