#!/usr/bin/env bash
# up.sh DIR: the container images of packaging/container, from the packages of the build tree that DIR is in (<build>/services/NAME).
# Nothing runs afterwards. Writes DIR/env: the images' names and what podman needs here.
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
cpack --config "$build/CPackConfig.cmake" -B "$out/context/packages" >"$out/cpack.log" 2>&1 || { tail -n 30 "$out/cpack.log"; exit 1; }
rm -rf "$out/context/packages/_CPack_Packages"
cp -r "$source/packaging/container" "$source/packaging/install-dependencies" "$out/context/packaging/"
# --no-cache: buildah 1.28 does not find a mount from a stage that it took from its cache.
image() {  # image NAME TARGET PLUGINS
  podman build --quiet --no-cache --isolation=chroot --network=host --format docker --timestamp 1700000000 \
    --build-arg BASE="$base" --build-arg PACKAGES=packages --build-arg PLUGINS="$3" --target "$2" \
    -f "$out/context/packaging/container/Containerfile" -t "localhost/par-runner:$1" "$out/context"
}
image test default all
image test-minimal minimal all
image test-http minimal com.datadoghq.http
image test-none minimal none
cat >"$out/env" <<END
PAR_CONTAINERS_CONF=$here/containers.conf
PAR_CONTAINERS_RUNTIME=$here/runc-in-sandbox
PAR_IMAGE=localhost/par-runner:test
PAR_IMAGE_MINIMAL=localhost/par-runner:test-minimal
PAR_IMAGE_HTTP=localhost/par-runner:test-http
PAR_IMAGE_NONE=localhost/par-runner:test-none
END
