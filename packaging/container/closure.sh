#!/bin/sh
# Copies the runner, its plugins, every library that they load and what those read into a directory that becomes an image.
# usage: closure.sh ROOT
# Leaves ROOT/usr/share/par-runner/packages: "name version architecture" of each Debian package that a copied file is from.
set -eu
root=$1
mkdir -p "$root/etc/ssl/certs" "$root/usr/lib/ssl" "$root/usr/lib64" "$root/usr/share/par-runner" "$root/home" "$root/tmp"
# The loader is asked for under /lib64, the libraries under /lib, and both are links.
ln -sfn usr/lib "$root/lib"
ln -sfn usr/lib64 "$root/lib64"
chmod 1777 "$root/tmp"

list=$(mktemp)
found=$(mktemp)
for file in /usr/bin/par-runner /usr/lib/par-runner/par-supervisor /usr/lib/par-runner/plugins/*.so; do
  [ -e "$file" ] || continue
  echo "$file"
  # A program without libraries is not a dynamic executable to ldd, which ends with 1 then.
  libraries=$(ldd "$file" 2>/dev/null || true)
  case $libraries in *"not found"*) echo "$file lacks libraries: $libraries" >&2; exit 1 ;; esac
  echo "$libraries" | awk '/=> \//{print $3} /^\t\//{print $1}'
done > "$found"
sort -u "$found" > "$list"
while read -r path; do
  # Under the name that it is asked for, with the directory resolved and the link followed.
  directory=$(readlink -f "$(dirname "$path")")
  mkdir -p "$root$directory"
  cp -L --preserve=mode,timestamps "$path" "$root$directory/$(basename "$path")"
done < "$list"
mkdir -p "$root/usr/lib/par-runner/plugins"

# Through files, not pipes: sh would take the status of the last command only, and a file of no package must end the build.
while read -r path; do
  real=$(readlink -f "$path")
  dpkg -S "$real" 2>/dev/null || dpkg -S "${real#/usr}" ||
    { echo "$path is of no Debian package, so no bill of materials could name it: install it as one" >&2; exit 1; }
done < "$list" > "$found"
dpkg -S /etc/ssl/openssl.cnf /usr/share/zoneinfo/UTC /usr/sbin/update-ca-certificates 2>/dev/null >> "$found" || true
cut -d: -f1 "$found" | sort -u | xargs dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' > "$root/usr/share/par-runner/packages"
while read -r package _; do
  mkdir -p "$root/usr/share/doc/$package"
  cp -L "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/" 2>/dev/null || rmdir "$root/usr/share/doc/$package"
done < "$root/usr/share/par-runner/packages"
rm "$list" "$found"

# Certificate authorities where OpenSSL and gRPC look, time zones, names.
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
ln -sfn /etc/ssl/certs "$root/usr/lib/ssl/certs"
ln -sfn /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem"
cp -a /usr/share/zoneinfo "$root/usr/share/"
printf 'root:x:0:0:root:/:/sbin/nologin\ndog:x:1000:1000::/home/dog:/sbin/nologin\n' > "$root/etc/passwd"
printf 'root:x:0:\ndog:x:1000:\n' > "$root/etc/group"
printf 'hosts: files dns\npasswd: files\ngroup: files\n' > "$root/etc/nsswitch.conf"
cp -L /etc/os-release "$root/etc/os-release"
install -d -o 1000 -g 0 -m 0775 "$root/home/dog" "$root/etc/dd-action-runner/config"
