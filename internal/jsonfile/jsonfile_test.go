package jsonfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
)

// A mistake has the line on which it is, and says what the file should be.
func TestMistake(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "x.json:1: want a list: the file is cut off",
		"[1,\n2,\n":           "x.json:3: want a list: the file is cut off",
		"[1,\n2,\nx]":         "x.json:3: want a list: this is not JSON, or is cut off",
		"text\n":              "x.json:1: want a list: this is not JSON, or is cut off",
		"[{\n\"n\":\n\"1\"}]": `x.json:3: want a list: "n" cannot be a string`,
		"{}":                  "x.json:1: want a list: this cannot be an object",
	} {
		var list []any
		var of []struct {
			N int `json:"n"`
		}
		err := json.NewDecoder(bytes.NewReader([]byte(text))).Decode(&list)
		if err == nil {
			err = json.Unmarshal([]byte(text), &of)
		}
		if got := Mistake("x.json", []byte(text), "a list", err); got == nil || got.Error() != want {
			t.Errorf("%q: got %v, want %s", text, got, want)
		}
	}
	other := errors.New("got version 1, want 2")
	if got := Mistake("x.json", nil, "a list", other); got.Error() != "x.json: got version 1, want 2" || !errors.Is(got, other) {
		t.Errorf("got %v", got)
	}
}
