package exchange

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
)

// NewIDs gives the exchange its request ids. They are unique, not secret.
func (x *Exchange) NewIDs() {
	var r [16]byte
	binary.LittleEndian.PutUint64(r[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(r[8:], rand.Uint64())
	r[6] = r[6]&0x0f | 0x40
	r[8] = r[8]&0x3f | 0x80
	putUUID(&x.id, &r)
	var e [11]byte
	binary.LittleEndian.PutUint64(e[:8], rand.Uint64())
	binary.LittleEndian.PutUint16(e[8:10], uint16(rand.Uint32())) //nolint:gosec // the low bits are wanted
	e[10] = r[0] ^ r[15]
	base64.StdEncoding.Encode(x.extendedID[:], e[:])
}

func putUUID(dst *[36]byte, r *[16]byte) {
	hex.Encode(dst[0:8], r[0:4])
	hex.Encode(dst[9:13], r[4:6])
	hex.Encode(dst[14:18], r[6:8])
	hex.Encode(dst[19:23], r[8:10])
	hex.Encode(dst[24:36], r[10:16])
	dst[8], dst[13], dst[18], dst[23] = '-', '-', '-', '-'
}

// ID is the request id, a UUID. The bytes are valid until the exchange ends.
func (x *Exchange) ID() []byte { return x.id[:] }

// SetID takes over a request id that the client supplied, if it is a UUID.
func (x *Exchange) SetID(id []byte) bool {
	if !isUUID(id) {
		return false
	}
	copy(x.id[:], id)
	return true
}

// ExtendedID is AWS's second id: 16 characters of base64.
func (x *Exchange) ExtendedID() []byte { return x.extendedID[:] }

func isUUID(b []byte) bool {
	if len(b) != 36 {
		return false
	}
	for i, c := range b {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
				return false
			}
		}
	}
	return true
}

// AppendTraceID appends a new X-Ray trace header value for the second the request started in.
func (x *Exchange) AppendTraceID(dst []byte) []byte {
	var r [16]byte
	binary.BigEndian.PutUint32(r[:4], uint32(x.Started.Unix())) //nolint:gosec // X-Ray has 32 bits until 2106
	binary.LittleEndian.PutUint64(r[4:12], rand.Uint64())
	binary.LittleEndian.PutUint32(r[12:], rand.Uint32())
	dst = append(dst, "Root=1-"...)
	dst = hex.AppendEncode(dst, r[:4])
	dst = append(dst, '-')
	return hex.AppendEncode(dst, r[4:])
}
