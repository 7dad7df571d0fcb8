// Package recording knows what happened on real connections: it reads the traces that
// faultnet.Recorder writes, and makes race scripts of recordings. Its folder pcap reads captures.
//
// A recording is bounded, whatever is read: of each connection the last exchanges are kept, and of
// the connections those that are open or that ended in an unusual way.
package recording
