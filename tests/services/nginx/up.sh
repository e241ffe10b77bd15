#!/usr/bin/env bash
# up.sh DIR: the distribution's nginx on free ports of 127.0.0.1, plain and TLS with a CA of its own. Writes DIR/env.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { echo "usage: up.sh DIR" >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
if [ -f "$dir/pid" ] && kill -0 "$(cat "$dir/pid")" 2>/dev/null; then
  echo "already running in $dir" >&2
  exit 1
fi
nginx=$(command -v nginx || echo /usr/sbin/nginx)
[ -x "$nginx" ] || { echo "nginx is missing: apt-get install nginx-light (or packaging/install-dependencies)" >&2; exit 1; }
rm -f "$dir/env" "$dir/access.log" "$dir/error.log"
mkdir -p "$dir/tls" "$dir/tmp" "$dir/www/files"

if [ ! -f "$dir/tls/server.crt" ]; then
  q() { openssl "$@" 2>>"$dir/tls/openssl.log"; }
  cd "$dir/tls"
  for ca in ca other-ca; do
    q req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 730 -keyout $ca.key -out $ca.crt \
      -subj "/CN=par-runner test $ca" -addext "keyUsage=critical,keyCertSign,cRLSign"
  done
  q req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=web.par.test
  q x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -out server.crt \
    -extfile <(echo "subjectAltName=DNS:web.par.test,DNS:localhost,IP:127.0.0.1")
  rm -f server.csr
  cd /
fi

password=$(od -An -N9 -tx1 /dev/urandom | tr -d ' \n')
printf 'user:%s\n' "$(openssl passwd -apr1 "$password")" >"$dir/htpasswd"
# 64 bytes a line, so that sizes are exact and a person can look at a result.
text() { { yes 'par-runner test file, one line of sixty-four bytes, again again' || true; } 2>/dev/null | head -c "$1"; }
text 256 >"$dir/www/files/256.txt"
text 65536 >"$dir/www/files/64k.txt"
text 1048576 >"$dir/www/files/1m.txt"
text 10485760 >"$dir/www/files/10m.txt"
printf '{"message":"hello","from":"nginx","number":42,"list":[1,2.5,null,true]}\n' >"$dir/www/files/hello.json"

free_ports() {
  python3 -c 'import socket
sockets = [socket.socket() for _ in range(2)]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))'
}
# Root's workers may not be able to read DIR as another user, and nothing here is worth protecting from them.
user=
[ "$(id -u)" -ne 0 ] || user="user root;"
start() {
  read -r http https < <(free_ports)
  sed "s|@DIR@|$dir|g; s|@HTTP_PORT@|$http|g; s|@HTTPS_PORT@|$https|g; s|@USER@|$user|" "$here/nginx.conf.in" >"$dir/nginx.conf"
  setsid "$nginx" -p "$dir" -e "$dir/error.log" -c "$dir/nginx.conf" >"$dir/log" 2>&1 </dev/null &
  pid=$!
  echo "$pid" >"$dir/pid"
  for _ in $(seq 1 100); do
    kill -0 "$pid" 2>/dev/null || return 1
    (exec 3<>"/dev/tcp/127.0.0.1/$http") 2>/dev/null && return 0
    sleep 0.05
  done
  return 1
}
# A port found free may be taken a moment later.
start || start || start || { echo "nginx did not start; see $dir/error.log" >&2; tail -5 "$dir/error.log" >&2; exit 1; }
{
  echo "NGINX_HTTP=http://127.0.0.1:$http"; echo "NGINX_HTTPS=https://127.0.0.1:$https"
  echo "NGINX_HTTP_PORT=$http"; echo "NGINX_HTTPS_PORT=$https"
  echo "NGINX_CA=$dir/tls/ca.crt"; echo "NGINX_OTHER_CA=$dir/tls/other-ca.crt"; echo "NGINX_TLS_NAME=web.par.test"
  echo "NGINX_USER=user"; echo "NGINX_PASSWORD=$password"
  echo "NGINX_LOG=$dir/access.log"; echo "NGINX_PID=$pid"
} >"$dir/env.tmp"
mv "$dir/env.tmp" "$dir/env"
