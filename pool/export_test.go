package pool

// WriteGrace is how long the end of a request is waited for when its response
// is over first.
const WriteGrace = writeGrace

// DrainTime is how long the rest of a body that was closed early is waited for.
const DrainTime = drainTime
