// Package leaky is a service that leaks connections: the example of docs/leak.md. It answers with
// prices that it asks a backend for, and keeps them for a while. Where the mistake is, is not said
// here: its recordings in testdata/recordings show it.
package leaky

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Price is an item with its price.
type Price struct {
	Item  string `json:"item"`
	Cents int    `json:"cents"`
}

// Service answers GET /prices/ITEM, and GET /total?items=A,B.
type Service struct {
	Client  *http.Client
	Backend string // its URL
	KeepFor time.Duration

	mu   sync.Mutex
	kept map[string]keptPrice
}

type keptPrice struct {
	Price
	until time.Time
}

// ServeHTTP implements [http.Handler].
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/prices/"):
		p, err := s.price(r, strings.TrimPrefix(r.URL.Path, "/prices/"))
		s.answer(w, p, err)
	case r.URL.Path == "/total":
		total := Price{Item: "total"}
		for item := range strings.SplitSeq(r.URL.Query().Get("items"), ",") {
			p, err := s.price(r, item)
			if err != nil {
				s.answer(w, Price{}, err)
				return
			}
			total.Cents += p.Cents
		}
		s.answer(w, total, nil)
	default:
		http.NotFound(w, r)
	}
}

func (s *Service) answer(w http.ResponseWriter, p Price, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(p)
}

// price returns the price of an item, from memory or from the backend.
func (s *Service) price(r *http.Request, item string) (Price, error) {
	if p, ok := s.remember(item); ok {
		return p, nil
	}
	req, err := http.NewRequestWithContext(r.Context(), "GET", s.Backend+"/price/"+item, nil)
	if err != nil {
		return Price{}, err
	}
	// The caller may go away; the price is kept for the next one.
	req = req.WithContext(withoutCancel(r))
	resp, err := s.Client.Do(req)
	if err != nil {
		return Price{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return Price{}, fmt.Errorf("the backend says %s of %s", resp.Status, item)
	}
	defer resp.Body.Close()
	var p Price
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
		return Price{}, fmt.Errorf("the backend's answer for %s: %w", item, err)
	}
	s.keep(p)
	return p, nil
}

func (s *Service) remember(item string) (Price, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.kept[item]
	if !ok || time.Now().After(p.until) {
		return Price{}, false
	}
	return p.Price, true
}

func (s *Service) keep(p Price) {
	if s.KeepFor <= 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = make(map[string]keptPrice)
	}
	s.kept[p.Item] = keptPrice{p, time.Now().Add(s.KeepFor)}
}
