// Package orders is a service with a planted mistake: on an error path the body
// of a response is left open. Its goal is to look like any service; its test
// shows how the mistake is found.
package orders

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Service takes orders, and asks the stock whether there is any.
type Service struct {
	Client *http.Client
	Stock  string // the URL of the stock
}

// ServeHTTP answers with what is left after the order.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	left, err := s.reserve(r, r.PathValue("article"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	fmt.Fprintf(w, "%d left", left)
}

func (s *Service) reserve(r *http.Request, article string) (left int, err error) {
	req, err := http.NewRequestWithContext(r.Context(), "GET", s.Stock+"/"+article, nil)
	if err != nil {
		return 0, err
	}
	resp, err := s.Client.Do(req) // the guilty line
	if err != nil {
		return 0, err
	}
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("the stock says: %s", resp.Status)
	}
	defer resp.Body.Close()
	err = json.NewDecoder(resp.Body).Decode(&left)
	return left, err
}
