package transform

import "encoding/binary"

// header is a header that AWS or HTTP treats in a way of its own; other is every other header.
type header uint8

const (
	other header = iota
	accept
	apigwID
	apigwRequestID
	authorization
	connection
	contentEncoding
	contentLength
	contentMD5
	contentType
	date
	expect
	forwarded
	gatewayAPIID
	host
	keepAlive
	maxForwards
	proxyAuthenticate
	proxyAuthorization
	proxyConnection
	requestID
	server
	te
	traceID
	trailer
	transferEncoding
	upgrade
	userAgent
	via
	wwwAuthenticate
	xForwardedFor
	xForwardedHost
	xForwardedPort
	xForwardedProto
	headers
)

// fate is what becomes of a header.
type fate uint8

const (
	pass   fate = iota
	drop        // left out
	remap       // renamed to x-amzn-Remapped-{Name}
	settle      // not copied: the step decides with the values that came
)

// column is one direction of one kind of integration.
type column uint8

const (
	toProxy   column = iota // client → HTTP_PROXY of a REST API
	toV2                    // client → HTTP_PROXY of an HTTP API
	toMapped                // a mapping → any backend; nothing else passes to HTTP
	fromProxy               // HTTP_PROXY → client of a REST API
	fromV2                  // HTTP_PROXY → client of an HTTP API
	fromHTTP                // a mapping → client, HTTP
	fromMock                // a mapping → client, MOCK
	columns
)

// fateOf reads the table of AWS's header treatment.
//
// AWS: the table passes Connection to HTTP backends and says nothing of Keep-Alive, Proxy-Authorization and
// Proxy-Connection; hop-by-hop headers never leave their connection here. AWS also renames x-amzn-RequestId and
// x-amz-apigw-id of a backend that is itself behind API Gateway. Headers not listed pass: so does x-api-key, whose
// value the backend of a proxy integration sees as it does on AWS.
func fateOf(h header, c column) fate { return fates[h][c] }

// fates is indexed by header and column; a row that is missing passes everywhere.
var fates = [headers][columns]fate{
	//                  toProxy toV2    toMapped fromProxy fromV2 fromHTTP fromMock
	accept:             {pass, pass, pass, pass, pass, drop, pass},
	apigwID:            {pass, pass, pass, remap, pass, remap, remap},
	apigwRequestID:     {pass, pass, pass, pass, drop, pass, pass},
	authorization:      {settle, pass, pass, remap, pass, remap, remap},
	connection:         {drop, drop, drop, remap, drop, remap, remap},
	contentEncoding:    {drop, pass, pass, pass, pass, pass, pass},
	contentLength:      {drop, drop, drop, settle, settle, drop, drop},
	contentMD5:         {drop, pass, drop, remap, pass, remap, remap},
	contentType:        {pass, pass, pass, settle, settle, settle, settle},
	date:               {pass, pass, pass, remap, drop, remap, remap},
	expect:             {drop, drop, drop, drop, drop, drop, drop},
	forwarded:          {pass, settle, pass, pass, pass, pass, pass},
	gatewayAPIID:       {drop, drop, drop, pass, pass, pass, pass},
	host:               {drop, drop, drop, drop, drop, drop, drop},
	keepAlive:          {drop, drop, drop, drop, drop, drop, drop},
	maxForwards:        {drop, pass, drop, remap, pass, remap, remap},
	proxyAuthenticate:  {drop, drop, drop, drop, drop, drop, drop},
	proxyAuthorization: {drop, drop, drop, drop, drop, drop, drop},
	proxyConnection:    {drop, drop, drop, drop, drop, drop, drop},
	requestID:          {pass, pass, pass, remap, pass, remap, remap},
	server:             {drop, pass, drop, remap, pass, remap, remap},
	te:                 {drop, drop, drop, drop, drop, drop, drop},
	traceID:            {settle, settle, drop, pass, pass, pass, pass},
	trailer:            {drop, drop, drop, drop, drop, drop, drop},
	transferEncoding:   {drop, drop, drop, drop, drop, drop, drop},
	upgrade:            {drop, drop, drop, drop, drop, drop, drop},
	userAgent:          {pass, pass, pass, remap, pass, remap, remap},
	via:                {drop, pass, drop, drop, pass, pass, drop},
	wwwAuthenticate:    {drop, pass, drop, remap, pass, remap, remap},
	xForwardedFor:      {settle, settle, pass, pass, pass, pass, pass},
	xForwardedHost:     {pass, settle, pass, pass, pass, pass, pass},
	xForwardedPort:     {drop, drop, pass, pass, pass, pass, pass},
	xForwardedProto:    {drop, settle, pass, pass, pass, pass, pass},
}

// remappedNames are the new names of headers that some column renames.
var remappedNames = [headers]string{
	apigwID:         "x-amzn-Remapped-x-amz-apigw-id",
	authorization:   "x-amzn-Remapped-Authorization",
	connection:      "x-amzn-Remapped-Connection",
	contentMD5:      "x-amzn-Remapped-Content-MD5",
	date:            "x-amzn-Remapped-Date",
	maxForwards:     "x-amzn-Remapped-Max-Forwards",
	requestID:       "x-amzn-Remapped-x-amzn-RequestId",
	server:          "x-amzn-Remapped-Server",
	userAgent:       "x-amzn-Remapped-User-Agent",
	wwwAuthenticate: "x-amzn-Remapped-WWW-Authenticate",
}

// headerOf finds a header by its name, case-blind. The length, then the first letter leave one candidate or two.
func headerOf(name []byte) header {
	if len(name) < 2 || len(name) > 24 {
		return other
	}
	c := name[0] | 0x20
	switch len(name)<<8 | int(c) {
	case 2<<8 | 't':
		return is(name, "te", te)
	case 3<<8 | 'v':
		return is(name, "via", via)
	case 4<<8 | 'h':
		return is(name, "host", host)
	case 4<<8 | 'd':
		return is(name, "date", date)
	case 6<<8 | 'a':
		return is(name, "accept", accept)
	case 6<<8 | 's':
		return is(name, "server", server)
	case 6<<8 | 'e':
		return is(name, "expect", expect)
	case 7<<8 | 'u':
		return is(name, "upgrade", upgrade)
	case 7<<8 | 't':
		return is(name, "trailer", trailer)
	case 9<<8 | 'f':
		return is(name, "forwarded", forwarded)
	case 10<<8 | 'u':
		return is(name, "user-agent", userAgent)
	case 10<<8 | 'c':
		return is(name, "connection", connection)
	case 10<<8 | 'k':
		return is(name, "keep-alive", keepAlive)
	case 11<<8 | 'c':
		return is(name, "content-md5", contentMD5)
	case 12<<8 | 'c':
		return is(name, "content-type", contentType)
	case 12<<8 | 'm':
		return is(name, "max-forwards", maxForwards)
	}
	return longHeaderOf(name, c)
}

func longHeaderOf(name []byte, c byte) header {
	switch len(name)<<8 | int(c) {
	case 13<<8 | 'a':
		return is(name, "authorization", authorization)
	case 14<<8 | 'c':
		return is(name, "content-length", contentLength)
	case 14<<8 | 'x':
		return is(name, "x-amz-apigw-id", apigwID)
	case 15<<8 | 'x':
		return is(name, "x-forwarded-for", xForwardedFor) | is(name, "x-amzn-trace-id", traceID)
	case 15<<8 | 'a':
		return is(name, "apigw-requestid", apigwRequestID)
	case 16<<8 | 'x':
		return is(name, "x-forwarded-host", xForwardedHost) | is(name, "x-forwarded-port", xForwardedPort) |
			is(name, "x-amzn-requestid", requestID)
	case 16<<8 | 'c':
		return is(name, "content-encoding", contentEncoding)
	case 16<<8 | 'w':
		return is(name, "www-authenticate", wwwAuthenticate)
	case 16<<8 | 'p':
		return is(name, "proxy-connection", proxyConnection)
	case 17<<8 | 'x':
		return is(name, "x-forwarded-proto", xForwardedProto)
	case 17<<8 | 't':
		return is(name, "transfer-encoding", transferEncoding)
	case 18<<8 | 'p':
		return is(name, "proxy-authenticate", proxyAuthenticate)
	case 19<<8 | 'p':
		return is(name, "proxy-authorization", proxyAuthorization)
	case 24<<8 | 'x':
		return is(name, "x-amzn-apigateway-api-id", gatewayAPIID)
	}
	return other
}

// is gives h if name is lower, case-blind, else other. Both have the same length.
func is(name []byte, lower string, h header) header {
	if sameLetters(name, lower) {
		return h
	}
	return other
}

// sameName compares a name with another in lower case, case-blind.
func sameName(name []byte, lower string) bool {
	return len(name) == len(lower) && sameLetters(name, lower)
}

func sameLetters(name []byte, lower string) bool {
	for i := range name {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// validName reports whether name is a token, as a header's name and a method must be.
func validName(name []byte) bool { return len(name) > 0 && tokenLength(name) == len(name) }

// tokenLength is the number of bytes at the front of b that can stand in a token.
func tokenLength(b []byte) int {
	for i, c := range b {
		if !tokens[c] {
			return i
		}
	}
	return len(b)
}

var tokens = func() (t [256]bool) {
	for c := byte('!'); c <= '~'; c++ {
		t[c] = true
	}
	for _, c := range []byte(`"(),/:;<=>?@[\]{}`) {
		t[c] = false
	}
	return t
}()

// validValue reports whether v can be the value of a header: no control character but a tab.
func validValue(v []byte) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; len(v) >= 8; v = v[8:] {
		w := binary.LittleEndian.Uint64(v)
		below := (w - ones*' ') &^ w
		del := w ^ ones*0x7f
		del = (del - ones) &^ del
		if (below|del)&highs != 0 { // eight bytes at once; perhaps it is a tab
			return validBytes(v)
		}
	}
	return validBytes(v)
}

func validBytes(v []byte) bool {
	for _, c := range v {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
