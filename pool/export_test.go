package pool

// WriteGrace is how long the end of a request is waited for when its response
// is over first.
const WriteGrace = writeGrace
