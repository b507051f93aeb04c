package match

import (
	"bytes"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/snapshot"
)

// ownPath leads to any API on any host: /_aws/execute-api/{api}/{stage}/…
const ownPath = "/_aws/execute-api/"

// ownHost marks AWS's own address form: {api}.execute-api.{region}.…
var ownHost = []byte(".execute-api.")

const defaultStage = "$default"

// stage finds the stage and gives the rest of the path.
func (m *Matcher) stage(x *exchange.Exchange, host, path []byte) ([]byte, error) {
	var buf [256]byte
	host = normal(buf[:0], host)
	mappings := m.mappings(host)
	if mappings == nil {
		if api, ok := m.own(host); ok {
			return ownStage(x, api, path)
		}
		mappings = m.hosts.Any
	}
	if bytes.HasPrefix(path, []byte(ownPath)) {
		segment, rest := cut(path[len(ownPath)-1:])
		if api, ok := m.apis[string(segment)]; ok {
			return ownStage(x, api, rest)
		}
		return nil, errNoMapping
	}
	for i := range mappings {
		mp := &mappings[i]
		rest, ok := under(path, mp.BasePath)
		if !ok {
			continue
		}
		x.BasePath = mp.BasePath
		if mp.Stage != nil {
			x.Stage = mp.Stage
			return rest, nil
		}
		return pathStage(x, mp.API, rest)
	}
	return nil, errNoMapping
}

// mappings finds those of the host itself or of the longest wildcard that covers it.
func (m *Matcher) mappings(host []byte) []snapshot.Mapping {
	if ms, ok := m.hosts.Exact[string(host)]; ok {
		return ms
	}
	if len(m.hosts.Wildcard) == 0 {
		return nil
	}
	for i, c := range host {
		if c == '.' {
			if ms, ok := m.hosts.Wildcard[string(host[i:])]; ok {
				return ms
			}
		}
	}
	return nil
}

// own finds the API in a host of AWS's form.
func (m *Matcher) own(host []byte) (*snapshot.API, bool) {
	i := bytes.Index(host, ownHost)
	if i <= 0 {
		return nil, false
	}
	api, ok := m.apis[string(host[:i])]
	return api, ok
}

func ownStage(x *exchange.Exchange, api *snapshot.API, path []byte) ([]byte, error) {
	if api.DefaultEndpointDisabled {
		return nil, errDisabled
	}
	return pathStage(x, api, path)
}

// pathStage takes the stage from the path's first segment. AWS: an HTTP API falls back to its $default stage, which
// keeps the segment.
func pathStage(x *exchange.Exchange, api *snapshot.API, path []byte) ([]byte, error) {
	segment, rest := cut(path)
	if s, ok := api.Stages[string(segment)]; ok {
		x.Stage = s
		return rest, nil
	}
	if api.Kind == snapshot.REST {
		return nil, errNoStage
	}
	s, ok := api.Stages[defaultStage]
	if !ok {
		return nil, errNoStageHTTP
	}
	x.Stage = s
	return path, nil
}

// cut splits "/a/b" into "a" and "/b".
func cut(path []byte) (segment, rest []byte) {
	if len(path) == 0 {
		return nil, nil
	}
	if i := bytes.IndexByte(path[1:], '/'); i >= 0 {
		return path[1 : i+1], path[i+1:]
	}
	return path[1:], nil
}

// under gives the path below a base path, which must end where a segment does.
func under(path []byte, base string) ([]byte, bool) {
	if len(path) < len(base) || string(path[:len(base)]) != base {
		return nil, false
	}
	rest := path[len(base):]
	return rest, len(rest) == 0 || rest[0] == '/'
}

// normal gives the host in lower case without port and final dot. It does not allocate for hosts of up to 256 bytes.
func normal(dst, host []byte) []byte {
	if i := bytes.LastIndexByte(host, ':'); i >= 0 && bytes.IndexByte(host[i:], ']') < 0 {
		host = host[:i]
	}
	if n := len(host); n > 0 && host[n-1] == '.' {
		host = host[:n-1]
	}
	for _, c := range host {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}
