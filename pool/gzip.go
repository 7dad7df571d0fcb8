package pool

import (
	"bufio"
	"compress/gzip"
	"strings"
	"sync"
)

var gzipReaders sync.Pool // of *gzip.Reader

// gzipBody decompresses a body as it is read. The reader comes from a pool with
// the first Read and goes back with Close, once no Read is in progress.
type gzipBody struct {
	body *responseBody

	mu     sync.Mutex
	zr     *gzip.Reader
	br     *bufio.Reader // between zr and body
	inRead bool
	closed bool
	err    error // sticky, of starting the reader
}

func (g *gzipBody) Read(p []byte) (int, error) {
	zr, err := g.enter()
	if err != nil {
		return 0, err
	}
	if zr == nil {
		if zr, err = g.start(); err != nil {
			g.leave(nil, err)
			return 0, err
		}
	}
	n, err := zr.Read(p)
	g.leave(zr, nil)
	return n, err
}

func (g *gzipBody) enter() (*gzip.Reader, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return nil, errReadClosed
	case g.inRead:
		return nil, errReadTwice
	case g.err != nil:
		return nil, g.err
	}
	g.inRead = true
	return g.zr, nil
}

func (g *gzipBody) leave(zr *gzip.Reader, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inRead, g.zr, g.err = false, zr, err
	if g.closed {
		g.recycle()
	}
}

// Close closes the body below.
func (g *gzipBody) Close() error {
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		if !g.inRead {
			g.recycle()
		}
	}
	g.mu.Unlock()
	return g.body.Close()
}

func (g *gzipBody) recycle() {
	if g.zr != nil {
		g.zr.Reset(strings.NewReader("")) // or it would hold on to the connection
		gzipReaders.Put(g.zr)
		g.zr = nil
	}
	if g.br != nil {
		putReader(g.br)
		g.br = nil
	}
}

func (g *gzipBody) start() (*gzip.Reader, error) {
	g.br = getReader(g.body, 4<<10)
	zr, _ := gzipReaders.Get().(*gzip.Reader)
	if zr == nil {
		return gzip.NewReader(g.br)
	}
	if err := zr.Reset(g.br); err != nil {
		return nil, err
	}
	return zr, nil
}
