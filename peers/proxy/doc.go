// Package proxy drives "halfopen proxy" with toxiproxy's own Go client, and compares it with
// toxiproxy's server.
//
// The tests run the command as a process and talk to it over loopback. With the tag toxiproxy,
// one more test builds the server of toxiproxy (it needs the Go module proxy), sends the same
// requests to both, and compares the answers: `make proxy` runs it.
package proxy
