module github.com/halfopen/halfopen/peers/quicgo

go 1.26.0

require (
	github.com/halfopen/halfopen v0.0.0
	github.com/quic-go/quic-go v0.65.0
)

replace github.com/halfopen/halfopen => ../../
