package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// nginxRate is far above what one CPU serves; nginx counts a key's excess by the millisecond, so the burst must hold
// all that may arrive in one.
const nginxRate, nginxBurst = 1_000_000, 100_000

// writeNginx writes the configuration of a proxy and returns its path. With keys it looks each request's key up in a
// map, refuses those without one, and limits each key's rate.
func (l *lab) writeNginx(name, addr string, keys int) (string, error) {
	var guard, limits strings.Builder
	if keys > 0 {
		fmt.Fprintln(&guard, `map $http_x_api_key $consumer {`, "\n", `default "";`)
		for i := range keys {
			fmt.Fprintf(&guard, "%q k%d;\n", keyValue(i), i)
		}
		fmt.Fprintf(&guard, "}\nlimit_req_zone $consumer zone=keys:1m rate=%dr/s;\n", nginxRate)
		fmt.Fprintln(&limits, `if ($consumer = "") { return 403; }`)
		fmt.Fprintf(&limits, "limit_req zone=keys burst=%d nodelay;\n", nginxBurst)
	}
	dir := filepath.Join(l.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	const conf = `daemon off;
worker_processes 1;
pid %[1]s/nginx.pid;
events { worker_connections 4096; }
http {
access_log off;
client_body_temp_path %[1]s/client;
proxy_temp_path %[1]s/proxy;
fastcgi_temp_path %[1]s/fastcgi;
uwsgi_temp_path %[1]s/uwsgi;
scgi_temp_path %[1]s/scgi;
keepalive_requests 1000000000;
upstream backend {
  server %[2]s;
  keepalive %[3]d;
  keepalive_requests 1000000000;
}
%[4]sserver {
  listen %[5]s backlog=1024;
  location / {
    %[6]sproxy_pass http://backend;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
  }
}
}
`
	file := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(conf, dir, l.backendAddr, 2*connections, guard.String(), addr, limits.String())
	return file, os.WriteFile(file, []byte(text), 0o644)
}

// nginxCommand runs nginx in the foreground, so that its master is our child.
func (l *lab) nginxCommand(conf string) []string {
	dir := filepath.Dir(conf)
	return []string{l.nginx, "-p", dir, "-e", filepath.Join(dir, "error.log"), "-c", conf}
}
