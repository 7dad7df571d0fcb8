package pool

import (
	"bufio"
	"io"
	"sync"
)

// Buffers go back when a connection closes, if nothing else can still use them: a
// transport that cannot keep connections would otherwise allocate two for each
// request. They hold no channels, so that it does not matter which
// testing/synctest bubble used them last.
var (
	readers     sync.Pool // of *bufio.Reader
	writers     sync.Pool // of *bufio.Writer
	copyBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}
)

func getReader(r io.Reader, size int) *bufio.Reader {
	if br, _ := readers.Get().(*bufio.Reader); br != nil && br.Size() == size {
		br.Reset(r)
		return br
	}
	return bufio.NewReaderSize(r, size)
}

func putReader(br *bufio.Reader) {
	br.Reset(nil)
	readers.Put(br)
}

func getWriter(w io.Writer, size int) *bufio.Writer {
	if bw, _ := writers.Get().(*bufio.Writer); bw != nil && bw.Size() == size {
		bw.Reset(w)
		return bw
	}
	return bufio.NewWriterSize(w, size)
}

func putWriter(bw *bufio.Writer) {
	bw.Reset(nil)
	writers.Put(bw)
}
