package clock

// pile is a list of entries in pieces: it grows at its end without being
// copied, and gives back memory as it is read from its front. The zero pile is
// empty.
type pile struct {
	pieces [][]entry // none is empty
	read   int       // entries of the first piece that are gone
	size   int
	spare  []entry // the piece to be next, or nil
}

// A piece has room for as many entries as there are, within these limits.
const (
	pieceFrom = 64
	pieceBits = 10
	pieceUpTo = 1<<pieceBits - 1 // 32 KiB, with what the allocator adds
)

func (p *pile) add(e entry) {
	last := len(p.pieces) - 1
	if last < 0 || len(p.pieces[last]) == cap(p.pieces[last]) {
		if p.spare == nil {
			p.spare = make([]entry, 0, min(max(p.size, pieceFrom), pieceUpTo))
		}
		p.pieces, p.spare = append(p.pieces, p.spare), nil
		last++
	}
	p.pieces[last] = append(p.pieces[last], e)
	p.size++
}

// front is the entries at the front that lie side by side; none if the pile
// is empty.
func (p *pile) front() []entry {
	if p.size == 0 {
		return nil
	}
	return p.pieces[0][p.read:]
}

// drop removes the first entry.
func (p *pile) drop() {
	p.pieces[0][p.read] = entry{} // leave it to the collector
	p.size--
	if p.read++; p.read == len(p.pieces[0]) {
		p.pieces[0] = nil
		p.pieces, p.read = p.pieces[1:], 0
	}
}

// reset empties a pile that nothing was read from. It keeps a piece.
func (p *pile) reset() {
	piece := p.pieces[0]
	clear(piece)
	clear(p.pieces)
	*p = pile{pieces: p.pieces[:0], spare: piece[:0]}
}

// all is the entries, front to end.
func (p *pile) all(yield func(entry) bool) {
	for i, piece := range p.pieces {
		if i == 0 {
			piece = piece[p.read:]
		}
		for _, e := range piece {
			if !yield(e) {
				return
			}
		}
	}
}
