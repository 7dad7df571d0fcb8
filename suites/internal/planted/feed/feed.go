// Package feed is a client with two planted mistakes: it never reads a response
// to its end. Its goal is to look like any client; its test shows how the mistakes
// are found.
package feed

import (
	"encoding/json"
	"net/http"
)

// Item is the newest of a feed.
type Item struct{ Number int }

// Latest asks for the newest item. It takes what it needs and leaves the rest to
// the transport, which waits for it to be read.
func Latest(c *http.Client, url string) (Item, error) {
	var item Item
	resp, err := c.Get(url) // the guilty line
	if err != nil {
		return item, err
	}
	err = json.NewDecoder(resp.Body).Decode(&item)
	return item, err
}

// Poll is Latest with the body closed, before its end: no connection serves a
// second time.
func Poll(c *http.Client, url string) (Item, error) {
	var item Item
	resp, err := c.Get(url) // guilty of a connection each time
	if err != nil {
		return item, err
	}
	defer resp.Body.Close()
	err = json.NewDecoder(resp.Body).Decode(&item)
	return item, err
}
