package clock

// chunkList is a queue of entries in chunks. It grows at its end without
// copying, and frees memory as entries are removed from its front. The zero
// chunkList is empty.
type chunkList struct {
	chunks [][]entry // none is empty
	read   int       // how many entries of the first chunk were removed
	size   int
	spare  []entry // an empty chunk to add next, or nil
}

// A new chunk has room for as many entries as the list has, within these limits.
const (
	minChunk  = 64
	chunkBits = 10
	maxChunk  = 1<<chunkBits - 1 // 32 KiB, with what the allocator adds
)

// add appends e.
func (p *chunkList) add(e entry) {
	last := len(p.chunks) - 1
	if last < 0 || len(p.chunks[last]) == cap(p.chunks[last]) {
		if p.spare == nil {
			p.spare = make([]entry, 0, min(max(p.size, minChunk), maxChunk))
		}
		p.chunks, p.spare = append(p.chunks, p.spare), nil
		last++
	}
	p.chunks[last] = append(p.chunks[last], e)
	p.size++
}

// front returns the entries of the first chunk; none if the list is empty.
func (p *chunkList) front() []entry {
	if p.size == 0 {
		return nil
	}
	return p.chunks[0][p.read:]
}

// drop removes the first entry.
func (p *chunkList) drop() {
	p.chunks[0][p.read] = entry{} // so that its event can be collected
	p.size--
	if p.read++; p.read == len(p.chunks[0]) {
		p.chunks[0] = nil
		p.chunks, p.read = p.chunks[1:], 0
	}
}

// reset empties a list from which nothing was removed. It keeps one chunk.
func (p *chunkList) reset() {
	chunk := p.chunks[0]
	clear(chunk)
	clear(p.chunks)
	*p = chunkList{chunks: p.chunks[:0], spare: chunk[:0]}
}

// all yields the entries, from the front to the end.
func (p *chunkList) all(yield func(entry) bool) {
	for i, chunk := range p.chunks {
		if i == 0 {
			chunk = chunk[p.read:]
		}
		for _, e := range chunk {
			if !yield(e) {
				return
			}
		}
	}
}
