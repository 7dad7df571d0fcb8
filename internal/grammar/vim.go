package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// vim returns a syntax file of Vim, which Neovim reads too.
func vim(w words) []byte {
	var verbs []string
	for _, v := range w.verbs {
		verbs = append(verbs, strings.ReplaceAll(v, " ", `\s+`))
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `" Vim syntax file: race scripts of halfopen.
" Made by go generate from the manual of the language; do not edit.
if exists("b:current_syntax")
  finish
endif

syn match halfopenVerb /\v^\s*%%(\>\s)?%%(!\s*)?%%(%s)%%(\s|$)/ nextgroup=halfopenArguments
syn match halfopenArguments /.*$/ contained contains=halfopenString,halfopenReason,halfopenOutcome,halfopenHandle,halfopenEvent,halfopenNumber,halfopenURL
syn match halfopenComment /^\s*#.*$/
syn match halfopenFile /^-- .* --\s*$/
syn region halfopenString start=/"/ skip=/\\./ end=/"/ oneline contained
syn match halfopenString /'[^']*'/ contained
syn match halfopenReason /\s--\s.*$/ contained
syn match halfopenOutcome /\v<as\s+\S+/ contained
syn match halfopenHandle /\v<[rdcm]\d+>/ contained
syn match halfopenEvent /\v<%%(client-\>server|server-\>client|client|server|data|fin|rst|dial|gate)>/ contained
syn match halfopenNumber /\v<[0-9.]+%%(ns|us|ms|s|m|h)?>/ contained
syn match halfopenURL /\vhttps?:\/\/\S+/ contained

hi def link halfopenVerb Keyword
hi def link halfopenComment Comment
hi def link halfopenFile Title
hi def link halfopenString String
hi def link halfopenReason Comment
hi def link halfopenOutcome Constant
hi def link halfopenHandle Identifier
hi def link halfopenEvent Type
hi def link halfopenNumber Number
hi def link halfopenURL Underlined

let b:current_syntax = "halfopen"
`, strings.Join(verbs, "|"))
	return b.Bytes()
}

// isPlain reports whether the words need no escape in a pattern of Vim.
func isPlain(words []string) bool {
	return regexp.MustCompile(`^[a-z0-9 -]+$`).MatchString(strings.Join(words, " "))
}
