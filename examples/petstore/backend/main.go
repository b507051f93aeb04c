// Command backend is what stands behind the petstore example: a list of pets in memory, over HTTP.
//
// It knows nothing of gateways, keys or limits: those are in front of it.
package main

import (
	"cmp"
	"encoding/json"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

// maxPets and maxBody keep the list within bounds.
const (
	maxPets = 1000
	maxBody = 64 << 10
)

type pet struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// pets is the list. It is safe for concurrent use.
type pets struct {
	mu   sync.Mutex // guards what follows
	last int
	byID map[string]pet
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "`address` to listen on")
	flag.Parse()
	p := &pets{byID: map[string]pet{}}
	p.add("Mia", "cat")
	p.add("Rex", "dog")
	server := &http.Server{Addr: *listen, Handler: p.routes(), ReadHeaderTimeout: 5 * time.Second}
	if err := server.ListenAndServe(); err != nil {
		slog.Error("the backend cannot listen: is another program using the port?", "error", err)
		os.Exit(1)
	}
}

func (p *pets) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /pets", p.list)
	mux.HandleFunc("POST /pets", p.create)
	mux.HandleFunc("GET /pets/{id}", p.get)
	mux.HandleFunc("DELETE /pets/{id}", p.remove)
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	return mux
}

// add puts a pet into the list; ok is false when the list is full.
func (p *pets) add(name, kind string) (added pet, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.byID) >= maxPets {
		return pet{}, false
	}
	p.last++
	added = pet{strconv.Itoa(p.last), name, kind}
	p.byID[added.ID] = added
	return added, true
}

// of gives the pets of a kind in the order in which they came, "" for all kinds.
func (p *pets) of(kind string) []pet {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := []pet{}
	for _, one := range p.byID {
		if kind == "" || one.Kind == kind {
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b pet) int {
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return out
}

func (p *pets) list(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, p.of(r.URL.Query().Get("kind")))
}

func (p *pets) create(w http.ResponseWriter, r *http.Request) {
	var in pet
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&in); err != nil || in.Name == "" || in.Kind == "" {
		answer(w, http.StatusBadRequest, map[string]string{"error": `send {"name": "Kiki", "kind": "bird"}`})
		return
	}
	added, ok := p.add(in.Name, in.Kind)
	if !ok {
		answer(w, http.StatusInsufficientStorage, map[string]string{"error": "the store is full"})
		return
	}
	answer(w, http.StatusCreated, added)
}

func (p *pets) get(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	one, ok := p.byID[r.PathValue("id")]
	p.mu.Unlock()
	if !ok {
		noSuchPet(w)
		return
	}
	answer(w, http.StatusOK, one)
}

func (p *pets) remove(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	p.mu.Lock()
	_, ok := p.byID[id]
	delete(p.byID, id)
	p.mu.Unlock()
	if !ok {
		noSuchPet(w)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func noSuchPet(w http.ResponseWriter) {
	answer(w, http.StatusNotFound, map[string]string{"error": "there is no such pet"})
}

func answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that is gone is told nothing
}
