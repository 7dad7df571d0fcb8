package recording

import (
	"strconv"
	"strings"
)

// noHead is the length of an answer whose head is not known.
const noHead = -2

// mostHead is how many bytes of a head are looked at.
const mostHead = 2 << 10

// headReader gathers the head of a message of HTTP/1 from its first bytes.
type headReader struct {
	text string
	over bool // the head is complete, or there is none
}

// add takes more bytes, and returns the head when it is complete. Where bytes are missing
// it is as much of it as is known.
func (h *headReader) add(data string) (head string, ok bool) {
	if h.over || data == "" {
		return "", false
	}
	h.text += data[:min(len(data), mostHead-len(h.text))]
	end := strings.Index(h.text, "\r\n\r\n")
	switch {
	case end >= 0:
		h.over = true
		head, h.text = h.text[:end+4], ""
		return head, true
	case len(h.text) == mostHead:
		h.over, h.text = true, ""
	}
	return "", false
}

// firstLine returns the first line of what is there, if that is complete.
func (h *headReader) firstLine() string {
	line, _, ok := strings.Cut(h.text, "\r\n")
	if !ok {
		return ""
	}
	return line
}

// continues reports whether bytes of the client belong to this exchange, although an answer has
// begun: a body behind 100 (Continue), or one that is longer than its answer had patience for.
func (x *Exchange) continues(data string) bool {
	if x.Status == 0 && x.Got == int64(len("HTTP/1.1 100 Continue\r\n\r\n")) {
		return true
	}
	return x.Known() && data != "" && !isRequest(data)
}

// isRequest reports whether a request of HTTP/1 begins so.
func isRequest(data string) bool {
	method, rest, ok := strings.Cut(data[:min(len(data), 64)], " ")
	return ok && isMethod(method) && rest != "" && (rest[0] == '/' || rest[0] == '*' || strings.HasPrefix(rest, "http") || method == "CONNECT")
}

// isMethod reports whether s can be a method that clients use: capitals and hyphens.
func isMethod(s string) bool {
	return len(s) >= 3 && len(s) <= 20 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == ""
}

// ask reads the head of the request.
func (x *Exchange) ask(data string) {
	if x.Known() || x.asked.over {
		return
	}
	if x.asked.text == "" && data != "" && !isRequest(data) {
		x.asked.over = true
		return
	}
	head, complete := x.asked.add(data)
	line := x.asked.firstLine()
	if complete {
		line, _, _ = strings.Cut(head, "\r\n")
	} else {
		head = x.asked.text
	}
	words := strings.Fields(line)
	if len(words) != 3 || !strings.HasPrefix(words[2], "HTTP/1.") || !isMethod(words[0]) {
		return
	}
	x.Method, x.Path, x.Host = kept(words[0]), kept(words[1]), kept(field(head, "Host"))
	if complete {
		x.askedHead = int64(len(head))
	}
	x.asked = headReader{over: true}
}

// mostKept is how many bytes are kept of a path or a name.
const mostKept = 200

// kept returns a word of a head without the head.
func kept(s string) string { return strings.Clone(s[:min(len(s), mostKept)]) }

// take reads the head of the answer. Informational answers (1xx) are passed over.
func (x *Exchange) take(data string) {
	if x.answer.over || data == "" {
		return
	}
	if x.answer.text == "" && !strings.HasPrefix("HTTP/1.", data[:min(len(data), 7)]) && !strings.HasPrefix(data, "HTTP/1.") {
		x.answer.over = true
		return
	}
	head, complete := x.answer.add(data)
	line := x.answer.firstLine()
	if complete {
		line, _, _ = strings.Cut(head, "\r\n")
	}
	words := strings.Fields(line)
	if len(words) < 2 || !strings.HasPrefix(words[0], "HTTP/1.") {
		return
	}
	status, err := strconv.Atoi(words[1])
	if err != nil || status < 100 || status > 999 {
		return
	}
	x.Status = status
	if !complete {
		return
	}
	if status < 200 && status != 101 {
		x.head += int64(len(head))
		x.answer = headReader{}
		_, rest, _ := strings.Cut(data, "\r\n\r\n")
		x.take(rest)
		return
	}
	x.head += int64(len(head))
	x.length = x.bodyLength(head)
}

// bodyLength returns the length of the body that follows that head, or -1 if it does not
// say: RFC 9112 section 6.3.
func (x *Exchange) bodyLength(head string) int64 {
	if x.Method == "HEAD" || x.Status == 204 || x.Status == 304 {
		return 0
	}
	if field(head, "Transfer-Encoding") != "" {
		return -1
	}
	n, err := strconv.ParseInt(field(head, "Content-Length"), 10, 64)
	if err != nil || n < 0 || n > 1<<50 {
		return -1
	}
	return n
}

// field returns the value of the first field of that name in a head, or "".
func field(head, name string) string {
	for line := range strings.SplitSeq(head, "\r\n") {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(key, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
