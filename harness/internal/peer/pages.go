package peer

import (
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Pages answers requests of scripts. The path says how:
//
//	/bytes/N    N bytes
//	/status/N   that status code; /status/N/M sends M bytes with it
//	/echo       the body of the request
//	/close      "ok" and Connection: close
//	/hang       nothing until the client goes away
//	/answer/X   the wrong answer of that name, see [Answers], and nothing more on
//	            that connection; /status/503 is one that may be asked again
//	/...        "ok"
func Pages(w http.ResponseWriter, req *http.Request) {
	page, arg, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
	switch {
	case page == "bytes" && bytesPage(w, arg):
	case page == "status":
		statusPage(w, arg)
	case page == "echo":
		io.Copy(w, req.Body)
	case page == "close":
		w.Header().Set("Connection", "close")
		io.WriteString(w, "ok")
	case page == "answer":
		answerPage(w, req, arg)
	case page == "hang":
		<-req.Context().Done()
	default:
		io.WriteString(w, "ok")
	}
}

// bytesPage sends so many bytes, and reports whether arg is a number.
func bytesPage(w http.ResponseWriter, arg string) bool {
	n, err := strconv.Atoi(arg)
	if err == nil {
		w.Header().Set("Content-Length", arg)
		io.CopyN(w, zeros{}, int64(n))
	}
	return err == nil
}

func statusPage(w http.ResponseWriter, arg string) {
	code, length, sized := strings.Cut(arg, "/")
	n, err := strconv.Atoi(code)
	size, badSize := strconv.Atoi(length)
	switch {
	case err != nil || n < 200 || n > 599 || sized && badSize != nil:
		io.WriteString(w, "ok")
	case sized:
		w.Header().Set("Content-Length", length)
		w.WriteHeader(n)
		io.CopyN(w, zeros{}, int64(size))
	default:
		w.WriteHeader(n)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}
