package clock

import (
	"math/bits"
	"slices"
)

// sorted is the entries of p, which nothing was read from, in order, and whether
// that was another one.
//
// Many are sorted by radix, which for a hundred thousand is several times as
// fast as comparing them.
func sorted(p pile) (out pile, moved bool) {
	first, last, ordered := int64(forever), int64(0), true
	var when int64
	var seq uint64
	for _, piece := range p.pieces {
		for i := range piece {
			e := &piece[i]
			ordered = ordered && (when < e.when || when == e.when && seq < e.seq)
			when, seq = e.when, e.seq
			first, last = min(first, when), max(last, when)
		}
	}
	if ordered {
		return p, false
	}
	if p.size < pieceUpTo {
		list := slices.AppendSeq(make([]entry, 0, p.size), p.all)
		slices.SortFunc(list, compare)
		return pile{pieces: [][]entry{list}, size: len(list)}, true
	}

	// Words are sorted in place of entries. A word is the time since the first
	// instant, in the finest units there is room for, and below that where in
	// p the entry is.
	places := pieceBits + bits.Len(uint(len(p.pieces)-1))
	unit := max(0, bits.Len64(uint64(last-first))+places-64)
	at := func(word uint64) entry {
		place := word & (1<<places - 1)
		return p.pieces[place>>pieceBits][place&(1<<pieceBits-1)]
	}
	words := make([]uint64, 0, p.size)
	for i, piece := range p.pieces {
		for j, e := range piece {
			words = append(words, uint64(e.when-first)>>unit<<places|uint64(i<<pieceBits|j))
		}
	}
	words = radix(words, places, bits.Len64(uint64(last-first)>>unit))

	for rest := words; len(rest) > 0; { // what fell into one unit
		n := 1
		for n < len(rest) && rest[n]>>places == rest[0]>>places {
			n++
		}
		if n > 1 {
			slices.SortFunc(rest[:n], func(a, b uint64) int { return compare(at(a), at(b)) })
		}
		rest = rest[n:]
	}

	for part := range slices.Chunk(words, pieceUpTo) {
		piece := make([]entry, len(part))
		for i, word := range part {
			piece[i] = at(word)
		}
		out.pieces = append(out.pieces, piece)
	}
	out.size = p.size
	return out, true
}

// radix is words sorted by so many of their bits, from bit low up, eleven at a
// time. It makes use of the memory of words.
func radix(words []uint64, low, many int) []uint64 {
	const width, mask = 11, 1<<11 - 1
	to := make([]uint64, len(words))
	for shift := low; shift < low+many; shift += width {
		var next [mask + 1]int // how many have each digit, then where they go
		for _, w := range words {
			next[w>>shift&mask]++
		}
		sum := 0
		for digit, n := range next {
			next[digit] = sum
			sum += n
		}
		for _, w := range words {
			digit := w >> shift & mask
			to[next[digit]] = w
			next[digit]++
		}
		words, to = to, words
	}
	return words
}

func compare(a, b entry) int {
	switch {
	case a.before(b):
		return -1
	case b.before(a):
		return 1
	}
	return 0
}

// merge is the entries of a and b, each sorted, in order.
func merge(a, b pile) pile {
	if a.size == 0 {
		return b
	}
	var out pile
	for a.size > 0 && b.size > 0 {
		next := &a
		if b.front()[0].before(a.front()[0]) {
			next = &b
		}
		out.add(next.front()[0])
		next.drop()
	}
	for _, rest := range []pile{a, b} {
		for e := range rest.all {
			out.add(e)
		}
	}
	return out
}
