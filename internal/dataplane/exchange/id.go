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
	binary.LittleEndian.PutUint16(e[8:10], uint16(rand.Uint32()))
	e[10] = r[0] ^ r[15]
	base64.StdEncoding.Encode(x.extendedID[:], e[:])
}

// putUUID writes 16 bytes in the groups of a UUID: 8, 4, 4, 4 and 12 digits.
func putUUID(dst *[36]byte, r *[16]byte) {
	binary.BigEndian.PutUint64(dst[0:], hexDigits(r[0:4]))
	binary.BigEndian.PutUint64(dst[28:], hexDigits(r[12:16]))
	digits := hexDigits(r[4:8])
	binary.BigEndian.PutUint32(dst[9:], uint32(digits>>32))
	binary.BigEndian.PutUint32(dst[14:], uint32(digits))
	digits = hexDigits(r[8:12])
	binary.BigEndian.PutUint32(dst[19:], uint32(digits>>32))
	binary.BigEndian.PutUint32(dst[24:], uint32(digits))
	dst[8], dst[13], dst[18], dst[23] = '-', '-', '-', '-'
}

// hexDigits gives the eight digits of four bytes, the first one highest. All are made at once: every request needs them.
func hexDigits(b []byte) uint64 {
	const each = 0x0101010101010101
	v := uint64(binary.BigEndian.Uint32(b))
	v = (v<<16 | v) & 0x0000ffff0000ffff
	v = (v<<8 | v) & 0x00ff00ff00ff00ff
	v = (v<<4 | v) & 0x0f0f0f0f0f0f0f0f
	letters := (v + each*6) >> 4 & each // 1 where the digit is above 9
	return v + each*'0' + letters*('a'-'0'-10)
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
	binary.BigEndian.PutUint32(r[:4], uint32(x.Started.Unix()))
	binary.LittleEndian.PutUint64(r[4:12], rand.Uint64())
	binary.LittleEndian.PutUint32(r[12:], rand.Uint32())
	dst = append(dst, "Root=1-"...)
	dst = hex.AppendEncode(dst, r[:4])
	dst = append(dst, '-')
	return hex.AppendEncode(dst, r[4:])
}
