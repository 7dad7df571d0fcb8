module github.com/halfopen/halfopen/peers

go 1.26.0

require (
	github.com/akutz/memconn v0.1.0
	github.com/benbjohnson/clock v1.3.5
	github.com/coder/quartz v0.3.1
	github.com/halfopen/halfopen v0.0.0
	github.com/jonboulle/clockwork v0.5.0
	github.com/valyala/fasthttp v1.73.0 // the last one whose dependencies can all be had
	google.golang.org/grpc v1.85.0
	k8s.io/utils v0.0.0-20260707023825-cf1189d6abe3
)

replace github.com/halfopen/halfopen => ../
