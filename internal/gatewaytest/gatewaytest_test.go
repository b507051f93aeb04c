package gatewaytest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"gatehouse/internal/gatewaytest"
)

func TestWholeGateway(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.Method + " " + r.URL.String()))
	}))
	defer backend.Close()
	g := gatewaytest.New(t, gatewaytest.Config(`
apis: {pets: {public: true, routes: {"GET /pets/{id}": "`+backend.URL+`/v2/{id}"}}}
`))
	a := g.Do("GET", "/pets/7?x=1")
	if a.Status != 200 || a.Body != "GET /v2/7?x=1" {
		t.Errorf("%+v", a)
	}
	if lines := g.AccessLog(1); len(lines) != 1 {
		t.Error(lines)
	}
}
