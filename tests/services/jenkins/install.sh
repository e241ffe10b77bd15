#!/usr/bin/env bash
# Gets the war from Maven Central once per machine and builds the launcher. Prints the folder it fills. Needs a JDK of 17 (or newer
# that still starts it) and Maven; exit code 77 and a line "SKIPPED: why" without them.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${PAR_TEST_SERVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/par-test-servers}/jenkins
version=3.3.2
sha256=29db3f39025edbd547f445a9d46b9a9eff9ddf1411cde2adc8b52b3503f9536c
for program in java javac mvn; do
  command -v $program >/dev/null || { echo "SKIPPED: the server needs a JDK and Maven, and there is no $program (apt-get install openjdk-17-jdk-headless maven)"; exit 77; }
done
mkdir -p "$out"
exec 9>"$out/lock"
flock 9  # several build trees may ask at once
war=$out/hudson-war-$version.war
if [ ! -f "$war" ] || ! echo "$sha256  $war" | sha256sum -c --status; then
  rm -f "$war"
  mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
    -Dartifact=org.eclipse.hudson:hudson-war:$version:war -DoutputDirectory="$out" \
    -Dmdep.useBaseVersion=true >&2
  echo "$sha256  $war" | sha256sum -c --status || { echo "checksum of $war differs" >&2; exit 1; }
fi
if [ ! -f "$out/HudsonLauncher.class" ] || [ "$here/HudsonLauncher.java" -nt "$out/HudsonLauncher.class" ]; then
  javac -d "$out" "$here/HudsonLauncher.java"
fi
# Everything this old code reflects into, opened: one line per package.
if [ ! -s "$out/opens.args" ]; then
  for m in java.base java.desktop java.logging java.management java.naming java.prefs java.rmi java.sql java.xml; do
    java --describe-module $m | sed -nE 's/^(qualified )?(exports|contains) ([^ ]+).*/\3/p' | sort -u |
      sed "s#^#--add-opens=$m/#; s#\$#=ALL-UNNAMED#"
  done > "$out/opens.args.tmp"
  mv "$out/opens.args.tmp" "$out/opens.args"
fi
echo "$out"
