package subjects

import "github.com/halfopen/halfopen/suites"

var (
	oauth2Quirks    = suites.NetHTTPQuirks
	retryableQuirks = suites.NetHTTPQuirks
	otelQuirks      = suites.NetHTTPQuirks
	cachedQuirks    = suites.NetHTTPQuirks
	limitedQuirks   = suites.NetHTTPQuirks
	sharedQuirks    = suites.NetHTTPQuirks
)
