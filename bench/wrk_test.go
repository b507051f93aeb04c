package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const wrkReport = `Running 4s test @ http://127.0.0.1:7703/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   311.00us  273.87us   7.45ms   95.25%
    Req/Sec   133.34k    10.68k  142.63k    90.24%
  Latency Distribution
     50%  225.00us
     75%  383.00us
     90%    1.46ms
     99%    1.02s 
  543472 requests in 4.10s, 603.30MB read
Requests/sec: 132593.25
Transfer/sec:    147.19MB
`

func TestParseWrk(t *testing.T) {
	clean := load{requests: 543472, rate: 132593.25, p50: 225 * time.Microsecond, p99: 1020 * time.Millisecond}
	broken := clean
	broken.statusErrors, broken.socketErrors = 7, 1+2+3+4
	failures := "  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 7\nRequests/sec:"
	for _, tt := range []struct {
		name, out string
		want      load
		wantErr   string
	}{
		{name: "clean", out: wrkReport, want: clean},
		{name: "failures", out: strings.Replace(wrkReport, "Requests/sec:", failures, 1), want: broken},
		{
			name: "a count too large to hold", out: wrkReport + "Non-2xx or 3xx responses: 99999999999999999999\n",
			want: func() load { l := clean; l.statusErrors = 1 << 40; return l }(),
		},
		{name: "unable to connect", out: "unable to connect to 127.0.0.1:1 Connection refused\n", wantErr: "counts no requests"},
		{name: "nothing answered", out: strings.Replace(wrkReport, "543472", "0", 1), wantErr: "not one request"},
		{name: "no percentiles", out: strings.Replace(wrkReport, "99%", "98%", 1), wantErr: "no 99%"},
		{name: "unknown unit", out: strings.Replace(wrkReport, "1.02s", "1.02d", 1), wantErr: "99%"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseWrk(tt.out)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("error %v, want %q in it", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(load{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzParseWrk(f *testing.F) {
	f.Add(wrkReport)
	f.Add("1 requests in 1s\nRequests/sec: 1..1\n50% 1s\n99% 1s\nNon-2xx or 3xx responses: 99999999999999999999")
	f.Fuzz(func(t *testing.T, out string) {
		got, err := parseWrk(out)
		if err == nil && (got.requests < 1 || got.errors() < 0) {
			t.Errorf("%+v", got)
		}
	})
}
