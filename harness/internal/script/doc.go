// Package script parses race scripts and prints the manual of their language.
//
// A script is the text in front of the first file of a txtar archive, a verb a line.
// The package knows words, quotes, comments, reasons and names of requests; which
// verbs there are, and what their arguments may be, is a [Language] of the caller's.
package script
