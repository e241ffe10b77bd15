#!/usr/bin/env bash
# up.sh DIR: the distribution's nginx on free ports of 127.0.0.1, plain and TLS with a CA of its own, also with client
# certificates and with an expired one. Writes DIR/env.
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
  signed() { # name CA days extensions
    q req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -out $1.csr -subj "/CN=$1"
    q x509 -req -in $1.csr -CA $2.crt -CAkey $2.key -CAcreateserial -days $3 -out $1.crt -extfile <(echo "$4")
    rm -f $1.csr
  }
  names="subjectAltName=DNS:web.par.test,DNS:localhost,IP:127.0.0.1"
  signed server ca 365 "$names"
  signed expired ca -1 "$names"
  signed client ca 365 "extendedKeyUsage=clientAuth"
  signed stranger other-ca 365 "extendedKeyUsage=clientAuth"
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
sockets = [socket.socket() for _ in range(4)]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))'
}
# Root's workers may not be able to read DIR as another user, and nothing here is worth protecting from them.
user=
[ "$(id -u)" -ne 0 ] || user="user root;"
start() {
  read -r http https mtls expired < <(free_ports)
  sed "s|@DIR@|$dir|g; s|@HTTP_PORT@|$http|g; s|@HTTPS_PORT@|$https|g; s|@MTLS_PORT@|$mtls|g; s|@EXPIRED_PORT@|$expired|g; s|@USER@|$user|" "$here/nginx.conf.in" >"$dir/nginx.conf"
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
  echo "NGINX_MTLS=https://127.0.0.1:$mtls"; echo "NGINX_EXPIRED=https://127.0.0.1:$expired"
  echo "NGINX_OTHER_NAME=https://127.0.0.2:$https"
  echo "NGINX_CLIENT_CERT=$dir/tls/client.crt"; echo "NGINX_CLIENT_KEY=$dir/tls/client.key"
  echo "NGINX_STRANGER_CERT=$dir/tls/stranger.crt"; echo "NGINX_STRANGER_KEY=$dir/tls/stranger.key"
  echo "NGINX_CA=$dir/tls/ca.crt"; echo "NGINX_OTHER_CA=$dir/tls/other-ca.crt"; echo "NGINX_TLS_NAME=web.par.test"
  echo "NGINX_USER=user"; echo "NGINX_PASSWORD=$password"
  echo "NGINX_LOG=$dir/access.log"; echo "NGINX_PID=$pid"
} >"$dir/env.tmp"
mv "$dir/env.tmp" "$dir/env"
