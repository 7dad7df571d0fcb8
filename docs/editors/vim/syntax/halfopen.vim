" Vim syntax file: race scripts of halfopen.
" Made by go generate from the manual of the language; do not edit.
if exists("b:current_syntax")
  finish
endif

syn match halfopenVerb /\v^\s*%(\>\s)?%(!\s*)?%(may\s+close-idle|limit-orphans|stop-reading|want\s+pending|want\s+request|descriptors|serve-proxy|want\s+closed|want\s+status|close-idle|keep-alive|may\s+cancel|want\s+conns|misbehave|partition|serve-tls|serve-udp|transport|want\s+body|want\s+dial|want\s+done|want\s+gone|want\s+held|want\s+idle|want\s+open|want\s+sent|may\s+pass|serve-h2|unlisten|want\s+err|advance|backlog|hang-up|release|request|resolve|respond|restart|cancel|finish|forget|resume|strict|unclog|vanish|allow|await|begin|break|close|crash|fault|gates|pause|reset|route|serve|sever|shape|clog|drop|fail|heal|hold|kill|lift|next|open|peer|post|read|rest|send|shut|ask|fin|get|let)%(\s|$)/ nextgroup=halfopenArguments
syn match halfopenArguments /.*$/ contained contains=halfopenString,halfopenReason,halfopenOutcome,halfopenHandle,halfopenEvent,halfopenNumber,halfopenURL
syn match halfopenComment /^\s*#.*$/
syn match halfopenFile /^-- .* --\s*$/
syn region halfopenString start=/"/ skip=/\\./ end=/"/ oneline contained
syn match halfopenString /'[^']*'/ contained
syn match halfopenReason /\s--\s.*$/ contained
syn match halfopenOutcome /\v<as\s+\S+/ contained
syn match halfopenHandle /\v<[rdcm]\d+>/ contained
syn match halfopenEvent /\v<%(client-\>server|server-\>client|client|server|data|fin|rst|dial|gate)>/ contained
syn match halfopenNumber /\v<[0-9.]+%(ns|us|ms|s|m|h)?>/ contained
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
