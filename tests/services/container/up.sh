#!/usr/bin/env bash
# up.sh DIR: the container images of packaging/container, from the packages of the build tree that DIR is in (<build>/services/NAME).
# Nothing runs afterwards. Writes DIR/env: the images' names, of this build tree alone, and what podman needs here.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: up.sh DIR" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../../.." && pwd)
mkdir -p "$1/context/packaging"
out=$(cd "$1" && pwd)
build=$(cd "$1/../.." && pwd)

for program in podman buildah runc mmdebstrap cpack dpkg-shlibdeps; do
  command -v "$program" >/dev/null ||
    { echo "SKIPPED: $program is not installed (packaging/install-dependencies --ci)"; exit 77; }
done
[ "$(id -u)" -eq 0 ] || { echo "SKIPPED: the base image is made of packages, which takes root"; exit 77; }
grep -q '^CMAKE_BUILD_TYPE:STRING=Release$' "$build/CMakeCache.txt" && grep -q '^PAR_SANITIZE:STRING=$' "$build/CMakeCache.txt" ||
  { echo "SKIPPED: images are made of a release build"; exit 77; }

export CONTAINERS_CONF=$here/containers.conf
base=localhost/debian:12-slim
if ! "$here/base-image.sh" "$base"; then
  echo "SKIPPED: the base image cannot be made here"
  exit 77
fi
# gzip: half the time.
cpack --config "$build/CPackConfig.cmake" -B "$out/context/packages" -D CPACK_DEBIAN_COMPRESSION_TYPE=gzip >"$out/cpack.log" 2>&1 || { tail -n 30 "$out/cpack.log"; exit 1; }
rm -rf "$out/context/packages/_CPack_Packages"
cp -r "$source/packaging/container" "$source/packaging/install-dependencies" "$out/context/packaging/"
name=localhost/par-runner:test-$(printf %s "$build" | sha256sum | cut -c1-12)
# --layers=false: nothing is left of the stages. buildah 1.28 would not find a mount from one that it took from its cache.
image() {  # image VARIABLE SUFFIX TARGET PLUGINS
  podman build --quiet --layers=false --isolation=chroot --network=host --format docker --timestamp 1700000000 \
    --build-arg BASE="$base" --build-arg PACKAGES=packages --build-arg PLUGINS="$4" --target "$3" \
    -f "$out/context/packaging/container/Containerfile" -t "$name$2" "$out/context"
  echo "$1=$name$2" >>"$out/env"
}
cat >"$out/env" <<END
PAR_CONTAINERS_CONF=$here/containers.conf
PAR_CONTAINERS_RUNTIME=$here/runc-in-sandbox
END
# Two at a time: each waits for apt's servers most of its time.
(image PAR_IMAGE "" default all; image PAR_IMAGE_NONE -none minimal none) &
first=$!
image PAR_IMAGE_MINIMAL -minimal minimal all
image PAR_IMAGE_HTTP -http minimal com.datadoghq.http
wait "$first"
