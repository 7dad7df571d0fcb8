package cases_test

import (
	"io"
	"log"
	"testing"

	"github.com/halfopen/halfopen/suites/goleakcheck"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // net/http logs unsolicited bytes
	goleakcheck.VerifyTestMain(m)
}
