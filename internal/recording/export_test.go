package recording

import "slices"

// Words returns each word that a trace may have.
func Words() []string {
	return slices.Concat(connEvents, dialFailures, []string{"dial", "fail", "open", "began", "end"})
}

// Split returns the words of a line.
func Split(line string) (words []string, err error) {
	parts, err := new(lineSplitter).split([]byte(line))
	for _, p := range parts {
		words = append(words, string(p))
	}
	return words, err
}
