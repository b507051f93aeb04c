package transform

import "bytes"

// maxTrace bounds a trace header that is passed on, in bytes.
const maxTrace = 512

// validTrace reports whether v is an X-Ray trace header: fields joined by ";" of which one is a well-formed Root, and
// Parent and Sampled are well formed if they are there.
func validTrace(v []byte) bool {
	if len(v) > maxTrace || !validValue(v) {
		return false
	}
	roots := 0
	for len(v) > 0 {
		var field []byte
		field, v, _ = bytes.Cut(v, []byte{';'})
		name, value, ok := bytes.Cut(bytes.TrimSpace(field), []byte{'='})
		if !ok {
			return false
		}
		switch string(name) {
		case "Root":
			roots++
			ok = validRoot(value)
		case "Parent":
			ok = hexDigits(value, 16)
		case "Sampled":
			ok = len(value) == 1 && (value[0] == '0' || value[0] == '1' || value[0] == '?')
		}
		if !ok {
			return false
		}
	}
	return roots == 1
}

// validRoot checks 1-{8hex}-{24hex}.
func validRoot(v []byte) bool {
	return len(v) == 35 && v[0] == '1' && v[1] == '-' && hexDigits(v[2:10], 8) && v[10] == '-' && hexDigits(v[11:], 24)
}

func hexDigits(v []byte, n int) bool {
	for _, c := range v {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
			return false
		}
	}
	return len(v) == n
}
