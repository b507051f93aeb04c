// Package percent does percent-encoding on bytes without allocating. It is a leaf that knows nothing of gateways.
package percent

const upperHex = "0123456789ABCDEF"

// AppendDecoded appends src with its percent-encoding undone; plus also turns "+" into a blank, as forms have it. What is
// no valid encoding stays as it is.
func AppendDecoded(dst, src []byte, plus bool) []byte {
	for i := 0; i < len(src); i++ {
		c := src[i]
		if c == '%' && i+2 < len(src) {
			hi, lo := value[src[i+1]], value[src[i+2]]
			if hi|lo < 16 {
				dst = append(dst, hi<<4|lo)
				i += 2
				continue
			}
		}
		if c == '+' && plus {
			c = ' '
		}
		dst = append(dst, c)
	}
	return dst
}

// AppendQuery appends src encoded for a name or value of a query.
func AppendQuery(dst, src []byte) []byte { return appendEncoded(dst, src, "") }

// AppendSegment appends src encoded for one segment of a path: a slash is encoded.
func AppendSegment(dst, src []byte) []byte { return appendEncoded(dst, src, "!$&'()*+,;=:@") }

func appendEncoded(dst, src []byte, also string) []byte {
next:
	for _, c := range src {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~' {
			dst = append(dst, c)
			continue
		}
		for i := range len(also) {
			if also[i] == c {
				dst = append(dst, c)
				continue next
			}
		}
		dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
	}
	return dst
}

// value of a hexadecimal digit, 255 for other bytes.
var value = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i := range byte(10) {
		t['0'+i] = i
	}
	for i := range byte(6) {
		t['a'+i], t['A'+i] = 10+i, 10+i
	}
	return t
}()
