package mini

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// talk writes the request and reads the head of the final response.
func (m *Transport) talk(c *conn, req *http.Request) (*http.Response, error) {
	if m.ExpectContinueTimeout > 0 && req.Header.Get("Expect") != "" && req.Body != nil {
		return m.ask(c, req)
	}
	if err := req.Write(c); err != nil {
		return nil, err
	}
	return m.final(c, req)
}

// final reads the head of the final response, and skips those of 1xx responses.
func (m *Transport) final(c *conn, req *http.Request) (*http.Response, error) {
	for {
		resp, err := http.ReadResponse(c.br, req)
		if err != nil || resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols || m.Bug == "1xx taken as answer" {
			return resp, err
		}
	}
}

// ask writes only the header. It writes the body when the server answers 100
// Continue, or has not answered within ExpectContinueTimeout.
func (m *Transport) ask(c *conn, req *http.Request) (*http.Response, error) {
	fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", req.Method, req.URL.RequestURI(), req.URL.Host, req.ContentLength)
	req.Header.Write(c)
	if _, err := io.WriteString(c, "\r\n"); err != nil {
		return nil, err
	}
	defer req.Body.Close()
	if m.Bug != "waits for ever" {
		c.SetReadDeadline(time.Now().Add(m.ExpectContinueTimeout))
	}
	resp, err := http.ReadResponse(c.br, req)
	c.SetReadDeadline(time.Time{})
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusContinue || m.Bug == "100 taken as answer":
		resp.Close = resp.Close || m.Bug != "pooled with withheld body"
		if m.Bug == "closed with unread response" {
			c.Close()
		}
		return resp, nil
	}
	if _, err := io.Copy(c, req.Body); err != nil {
		return nil, err
	}
	return m.final(c, req)
}
