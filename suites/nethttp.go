package suites

// NetHTTPQuirks is what net/http's transport does otherwise than the cases say.
var NetHTTPQuirks []Quirk
