package peer

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/internal/nearest"
)

// Answer is a wrong, or merely unusual, way in which a server of HTTP/1.1
// answers a request.
type Answer struct {
	// Name is its name in scripts: misbehave c1 bad-chunk.
	Name string
	// Doc says what it is.
	Doc string
	// Raw is the bytes that are sent.
	Raw string
	// Unread says that the request is left unread, so that closing resets.
	Unread bool
	// Then is the server's next act: "close", "reset", or "" for nothing.
	Then string
}

// Parts of the answers.
const (
	line200     = "HTTP/1.1 200 OK\r\n"
	chunkedHead = line200 + "Transfer-Encoding: chunked\r\n\r\n"
	bodyOK      = "Content-Length: 2\r\n\r\nok"
)

// answers is the table of the manual. What RFC 9112 forbids, and what it allows
// and clients get wrong.
var answers = []Answer{
	{Name: "nothing", Doc: "no byte, and a FIN", Then: "close"},
	{Name: "nothing-reset", Doc: "no byte, and a reset", Then: "reset"},
	{Name: "garbage", Doc: "bytes that are no HTTP, and a FIN", Raw: "\x00\x01SSH-2.0-x\r\n\r\n", Then: "close"},
	{Name: "status-line", Doc: "a status line, and a FIN", Raw: line200, Then: "close"},
	{Name: "half-status-line", Doc: "a part of a status line, and a FIN", Raw: "HTTP/1.1 20", Then: "close"},
	{Name: "headers", Doc: "headers that promise a body, and a FIN", Raw: line200 + "Content-Length: 10\r\n\r\n", Then: "close"},
	{Name: "half-headers", Doc: "a part of the headers, and a FIN", Raw: line200 + "Content-Len", Then: "close"},
	{Name: "headers-stall", Doc: "a part of the headers, and nothing more", Raw: line200 + "Content-Len"},
	{Name: "body-stall", Doc: "a part of the body, and nothing more", Raw: line200 + "Content-Length: 10\r\n\r\n12345"},
	{Name: "trailer-stall", Doc: "a body with a part of a trailer, and nothing more", Raw: chunkedHead + "2\r\nok\r\n0\r\nX-Sum: "},
	{Name: "bad-chunk", Doc: "a chunk whose data does not end in a line break", Raw: chunkedHead + "2\r\nokxx\r\n0\r\n\r\n"},
	{Name: "bad-chunk-size", Doc: "a chunk whose size is no number", Raw: chunkedHead + "zz\r\nok\r\n0\r\n\r\n"},
	{Name: "huge-chunk-size", Doc: "a chunk whose size does not fit into 64 bits", Raw: chunkedHead + "fffffffffffffffff\r\nok\r\n"},
	{Name: "no-last-chunk", Doc: "chunks without the last one, and a FIN", Raw: chunkedHead + "2\r\nok\r\n", Then: "close"},
	{Name: "length-too-long", Doc: "a Content-Length of more than the body, and a FIN", Raw: line200 + "Content-Length: 10\r\n\r\nok", Then: "close"},
	{Name: "length-too-short", Doc: "a Content-Length of less than the body", Raw: line200 + "Content-Length: 1\r\n\r\nok"},
	{Name: "two-lengths", Doc: "two Content-Lengths that differ", Raw: line200 + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok"},
	{Name: "same-lengths", Doc: "two Content-Lengths that are equal", Raw: line200 + "Content-Length: 2\r\n" + bodyOK},
	{Name: "length-and-chunks", Doc: "a Content-Length and a Transfer-Encoding", Raw: line200 + "Content-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
	{Name: "bad-length", Doc: "a Content-Length that is no number", Raw: line200 + "Content-Length: two\r\n\r\nok"},
	{Name: "long-headers", Doc: "60 KB of headers", Raw: line200 + strings.Repeat("X-Long: "+strings.Repeat("x", 990)+"\r\n", 60) + bodyOK},
	{Name: "endless-headers", Doc: "60 KB of headers, and no end of them", Raw: line200 + strings.Repeat("X-Long: "+strings.Repeat("x", 990)+"\r\n", 60)},
	{Name: "bad-header", Doc: "a header without a colon", Raw: line200 + "nonsense\r\n" + bodyOK},
	{Name: "storm-1xx", Doc: "a hundred 103s before the answer", Raw: strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 100) + line200 + bodyOK},
	{Name: "continue", Doc: "a 100 that the request did not ask for, before the answer", Raw: "HTTP/1.1 100 Continue\r\n\r\n" + line200 + bodyOK},
	{Name: "hints", Doc: "a 103 before the answer", Raw: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + line200 + bodyOK},
	{Name: "switch", Doc: "a 101 that the request did not ask for", Raw: "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", Then: "close"},
	{Name: "204-body", Doc: "a 204 with a body", Raw: "HTTP/1.1 204 No Content\r\n" + bodyOK},
	{Name: "304-body", Doc: "a 304 with a body", Raw: "HTTP/1.1 304 Not Modified\r\n" + bodyOK},
	{Name: "head-body", Doc: "a 200 with a body, which after HEAD must have none", Raw: line200 + bodyOK},
	{Name: "early", Doc: "a 200 before the request was read, and a reset that this makes", Raw: line200 + bodyOK, Unread: true, Then: "close"},
	{Name: "early-reading", Doc: "a 200 before the request was read, which goes on being read", Raw: line200 + bodyOK, Unread: true},
	{Name: "never-read", Doc: "the request is never read, and never answered", Unread: true},
	{Name: "early-413", Doc: "a 413 before the body was read, with Connection: close, and a reset", Raw: "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", Unread: true, Then: "close"},
	{Name: "close", Doc: "Connection: close, and a FIN", Raw: line200 + "Connection: close\r\n" + bodyOK, Then: "close"},
	{Name: "close-ignored", Doc: "Connection: close, and no FIN", Raw: line200 + "Connection: close\r\n" + bodyOK},
	{Name: "close-unsaid", Doc: "no Connection: close, and a FIN", Raw: line200 + bodyOK, Then: "close"},
	{Name: "keep-alive-closed", Doc: "Connection: keep-alive, and a FIN", Raw: line200 + "Connection: keep-alive\r\n" + bodyOK, Then: "close"},
	{Name: "until-close", Doc: "a body that only the FIN ends", Raw: line200 + "\r\nok", Then: "close"},
	{Name: "http-1.0", Doc: "HTTP/1.0 without a word about the connection, and a FIN", Raw: "HTTP/1.0 200 OK\r\n" + bodyOK, Then: "close"},
	{Name: "http-1.0-keep-alive", Doc: "HTTP/1.0 with Connection: keep-alive", Raw: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + bodyOK},
	{Name: "http-3.0", Doc: "a version that does not exist", Raw: "HTTP/3.0 200 OK\r\n" + bodyOK},
	{Name: "extra", Doc: "bytes behind the answer", Raw: line200 + bodyOK + "more"},
	{Name: "twice", Doc: "the answer twice", Raw: line200 + bodyOK + line200 + bodyOK},
	{Name: "401", Doc: "a 401 with a challenge", Raw: "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"},
	{Name: "407", Doc: "a 407 with a challenge, from no proxy", Raw: "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"},
	{Name: "408", Doc: "a 408 with Connection: close, and a FIN", Raw: "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", Then: "close"},
	{Name: "429", Doc: "a 429 with Retry-After", Raw: "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"},
	{Name: "503", Doc: "a 503 with Retry-After", Raw: "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"},
	{Name: "redirect-body", Doc: "a redirect with a body", Raw: "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 5\r\n\r\nmoved"},
}

// Answers returns all of them, in the order of the manual.
func Answers() []Answer { return append([]Answer(nil), answers...) }

// FindAnswer returns the answer of that name.
func FindAnswer(name string) (Answer, error) {
	var names []string
	for _, a := range answers {
		if a.Name == name {
			return a, nil
		}
		names = append(names, a.Name)
	}
	return Answer{}, fmt.Errorf("unknown answer %q%s", name, nearest.ThereAre(name, names))
}

// answerPage serves the page "/answer/NAME" of [Pages].
func answerPage(w http.ResponseWriter, req *http.Request, name string) {
	a, err := FindAnswer(name)
	h, canHijack := w.(http.Hijacker)
	if err != nil || !canHijack {
		http.Error(w, "no such answer", http.StatusNotFound)
		return
	}
	if !a.Unread {
		io.Copy(io.Discard, req.Body)
	}
	c, _, err := h.Hijack()
	if err != nil {
		return
	}
	io.WriteString(c, a.Raw)
	switch a.Then {
	case "":
		// The connection stays until the client closes it.
		io.Copy(io.Discard, c)
		c.Close()
	case "reset":
		c.(*faultnet.Conn).Reset()
	default:
		c.Close()
	}
}
