package clock

import (
	"math/bits"
	"slices"
)

// sortEntries returns the entries of p in order, and whether it moved any of
// them. Nothing may have been removed from p.
//
// Many entries are sorted by radix. For a hundred thousand that is several
// times as fast as comparing them.
func sortEntries(p chunkList) (out chunkList, moved bool) {
	first, last, ordered := int64(forever), int64(0), true
	var when int64
	var seq uint64
	for _, chunk := range p.chunks {
		for i := range chunk {
			e := &chunk[i]
			ordered = ordered && (when < e.when || when == e.when && seq < e.seq)
			when, seq = e.when, e.seq
			first, last = min(first, when), max(last, when)
		}
	}
	if ordered {
		return p, false
	}
	if p.size < maxChunk {
		list := slices.AppendSeq(make([]entry, 0, p.size), p.all)
		slices.SortFunc(list, compare)
		return chunkList{chunks: [][]entry{list}, size: len(list)}, true
	}

	// Instead of entries, words are sorted. The high bits of a word are the
	// time since the first instant, in the smallest unit that fits. The low bits
	// are the place of the entry in p.
	places := chunkBits + bits.Len(uint(len(p.chunks)-1))
	unit := max(0, bits.Len64(uint64(last-first))+places-64)
	at := func(word uint64) entry {
		place := word & (1<<places - 1)
		return p.chunks[place>>chunkBits][place&(1<<chunkBits-1)]
	}
	words := make([]uint64, 0, p.size)
	for i, chunk := range p.chunks {
		for j, e := range chunk {
			words = append(words, uint64(e.when-first)>>unit<<places|uint64(i<<chunkBits|j))
		}
	}
	words = radix(words, places, bits.Len64(uint64(last-first)>>unit))

	for rest := words; len(rest) > 0; { // sort the words of each unit by comparing
		n := 1
		for n < len(rest) && rest[n]>>places == rest[0]>>places {
			n++
		}
		if n > 1 {
			slices.SortFunc(rest[:n], func(a, b uint64) int { return compare(at(a), at(b)) })
		}
		rest = rest[n:]
	}

	for part := range slices.Chunk(words, maxChunk) {
		chunk := make([]entry, len(part))
		for i, word := range part {
			chunk[i] = at(word)
		}
		out.chunks = append(out.chunks, chunk)
	}
	out.size = p.size
	return out, true
}

// radix returns words sorted by many of their bits, from bit low upwards, eleven
// bits at a time. It overwrites words.
func radix(words []uint64, low, many int) []uint64 {
	const width, mask = 11, 1<<11 - 1
	to := make([]uint64, len(words))
	for shift := low; shift < low+many; shift += width {
		var next [mask + 1]int // for each digit: how many words have it, then the place of the next one
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

// compare returns -1 if a is before b, 1 if b is before a, else 0.
func compare(a, b entry) int {
	switch {
	case a.before(b):
		return -1
	case b.before(a):
		return 1
	}
	return 0
}

// merge returns the entries of a and b in order. Each of a and b is sorted.
func merge(a, b chunkList) chunkList {
	if a.size == 0 {
		return b
	}
	var out chunkList
	for a.size > 0 && b.size > 0 {
		next := &a
		if b.front()[0].before(a.front()[0]) {
			next = &b
		}
		out.add(next.front()[0])
		next.drop()
	}
	for _, rest := range []chunkList{a, b} {
		for e := range rest.all {
			out.add(e)
		}
	}
	return out
}
