// Package maporder goes over maps.
package maporder

import (
	"fmt"
	"maps"
	"slices"
	"sort"
)

var table = map[string]int{}

func printed() {
	for k, v := range table { // want `the order of this loop over a map can be seen`
		fmt.Println(k, v)
	}
	for k := range maps.Keys(table) { // want `the order of this loop over a map can be seen`
		fmt.Println(k)
	}
	for _, k := range slices.Sorted(maps.Keys(table)) {
		fmt.Println(k)
	}
}

func firstFound() string {
	for k, v := range table { // want `the order of this loop over a map can be seen`
		if v > 0 {
			return k
		}
	}
	return ""
}

func sorted() []string {
	var keys, late []string
	for k := range table {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for k := range table { // want `the order of this loop over a map can be seen`
		late = append(late, k)
	}
	return append(keys, late...)
}

func commuting() (sum, most int) {
	other := map[string]int{}
	for k, v := range table {
		if v < 0 {
			continue
		}
		other[k] = v
		sum += v
		most = max(most, v)
		delete(table, k)
	}
	for _, v := range table {
		if v == 7 {
			return
		}
	}
	return sum, most
}

func last() (key string) {
	for k := range table { // want `the order of this loop over a map can be seen`
		key = k
	}
	return key
}

func excused() {
	// In any order: the channels are closed before a goroutine can look.
	for k := range table {
		fmt.Sprint(k)
	}
	for k := range table { // in any order: nothing is kept
		fmt.Sprint(k)
	}
}

func lists() {
	for i, k := range []string{"a"} {
		fmt.Println(i, k)
	}
}
