package pool

import (
	"cmp"
	"slices"
)

// A linkedList is a doubly linked linkedList whose nodes live inside their owners, so that
// joining and leaving it allocates nothing and costs the same anywhere in it.
type linkedList[T any] struct {
	first, last *node[T]
	n           int
}

type node[T any] struct {
	in         *linkedList[T]
	prev, next *node[T]
	owner      T
}

func (l *linkedList[T]) push(n *node[T], owner T) {
	n.in, n.prev, n.owner = l, l.last, owner
	if l.last != nil {
		l.last.next = n
	} else {
		l.first = n
	}
	l.last = n
	l.n++
}

// remove reports whether n was in l.
func (l *linkedList[T]) remove(n *node[T]) bool {
	if n.in != l {
		return false
	}
	if n.prev != nil {
		n.prev.next = n.next
	} else {
		l.first = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	} else {
		l.last = n.prev
	}
	*n = node[T]{}
	l.n--
	return true
}

// front returns the owner that joined first, or the zero value.
func (l *linkedList[T]) front() (owner T) {
	if l.first != nil {
		owner = l.first.owner
	}
	return owner
}

// all yields the owners in the order in which they joined. The list must not
// change meanwhile.
func (l *linkedList[T]) all(yield func(T) bool) {
	for n := l.first; n != nil; n = n.next {
		if !yield(n.owner) {
			return
		}
	}
}

func sortByID[T any](s []T, id func(T) uint64) {
	slices.SortFunc(s, func(a, b T) int { return cmp.Compare(id(a), id(b)) })
}
