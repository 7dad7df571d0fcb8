package leaky

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
)

// withoutCancel returns the request's context without its end.
func withoutCancel(r *http.Request) context.Context { return context.WithoutCancel(r.Context()) }

// Backend knows the prices of apples and plums; for pears it is busy.
func Backend() http.Handler {
	prices := map[string]int{"apple": 30, "plum": 20}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /price/{item}", func(w http.ResponseWriter, r *http.Request) {
		item := r.PathValue("item")
		switch cents, ok := prices[item]; {
		case ok:
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(Price{item, cents})
		case strings.HasPrefix(item, "pear"):
			http.Error(w, "busy, ask again", http.StatusServiceUnavailable)
		default:
			http.NotFound(w, r)
		}
	})
	return mux
}
