#!/bin/sh
# par_add_plugin from the installed package, as a third party uses it.
# usage: add_plugin_test.sh <cmake> <plugin-api directory> <c compiler> <c++ compiler>
set -eu
cmake=$1 source=$2
export CC=$3 CXX=$4
unset CFLAGS CXXFLAGS LDFLAGS || true
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "$*"; }; }

quietly "$cmake" -S "$source" -B "$work/api" -DPAR_TESTS=OFF -DCMAKE_INSTALL_PREFIX="$work/prefix"
quietly "$cmake" --install "$work/api"
[ -f "$work/prefix/include/par/plugin.hpp" ] || fail "no include/par"
[ -f "$work/prefix/share/par-runner/plugin-api/spec/abi.md" ] || fail "no specification"

mkdir "$work/p" && cd "$work/p"
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(third_party LANGUAGES C CXX)
find_package(ParPluginApi 1.0 REQUIRED CONFIG)
par_add_plugin(hello NAMESPACE org.example.hello MANIFEST hello.json SOURCES hello.cpp)
par_add_plugin(plain NAMESPACE org.example.plain MANIFEST plain.json SOURCES plain.c)
END
manifest() {
  printf '{\n  "manifest_version": 1,\n  "namespace": "%s",\n  "version": "1.0.0",\n  "services": [],\n' "$1"
  printf '  "actions": {"greet": {"summary": "Say  hi", "effect": "reads", "input": {"type": "object"},\n    "output": {"type": "object"}}}\n}\n'
}
manifest org.example.hello >hello.json
manifest org.example.plain >plain.json
cat >hello.cpp <<'END'
#include <par/plugin.hpp>
class Hello {
 public:
  void greet(const par::Request&, par::Call& call) const { call.result(R"({"text":"hello"})"); }
};
PAR_PLUGIN(Hello, {"greet", &Hello::greet});
END
cat >plain.c <<'END'
#include <par/plugin.h>
extern const char par_manifest_begin[], par_manifest_end[];
static par_str manifest(void) {
  par_str text = {par_manifest_begin, (size_t)(par_manifest_end - par_manifest_begin)};
  return text;
}
static const par_plugin table = {PAR_MAGIC, sizeof(par_plugin), PAR_ABI_MAJOR, PAR_ABI_MINOR, 0, 0,
                                 manifest, 0, 0, 0, 0};
const par_plugin *par_plugin_v1(void) { return &table; }
END
quietly "$cmake" -S . -B b -DCMAKE_PREFIX_PATH="$work/prefix"
quietly "$cmake" --build b

for name in hello plain; do
  library=b/plugins/org.example.$name.so
  exports=$(nm -D --defined-only "$library" | awk '{print $NF}')
  [ "$exports" = par_plugin_v1 ] || fail "$library exports: $exports"
  readelf -d "$library" | grep -q NODELETE || fail "$library can be unloaded"
  objcopy -O binary --only-section=.par_manifest --set-section-flags .par_manifest=alloc "$library" section
  tr -d '\000' <section >section.json
  grep -q '"namespace": "org.example.'$name'","version"' section.json || fail "odd section: $(cat section.json)"
  grep -q 'Say  hi' section.json || fail "text inside strings changed"
done

# An edit of the manifest reaches the library without a new configure run.
sed -i 's/1\.0\.0/2.0.0/' hello.json
quietly "$cmake" --build b
objcopy -O binary --only-section=.par_manifest b/plugins/org.example.hello.so section
grep -q '2\.0\.0' section || fail "the new manifest is not in the library"

refused() {  # refused <expected text>: building with the present hello.json fails and says so
  if "$cmake" --build b >"$work/log" 2>&1; then fail "accepted a manifest although: $1"; fi
  tr -s ' \n' ' ' <"$work/log" | grep -qF "$1" || { cat "$work/log"; fail "the reason is not shown: $1"; }
}
echo '{"manifest_version": 1,' >hello.json; refused 'hello.json: not valid JSON'
manifest org.example.other >hello.json; refused 'but par_add_plugin says "org.example.hello"'
manifest org.example.hello | sed 's/"reads"/"both"/' >hello.json; refused 'expected "reads" or "writes"'
manifest org.example.hello | sed 's/"output"/"outputs"/' >hello.json; refused 'action "greet" has no "output"'
manifest org.example.hello | sed 's/"output": {.*$/"output": {}}}/' >hello.json
refused 'the output schema of action "greet" must have the type "object"'
manifest org.example.hello | sed '/version": "1/d' >hello.json; refused 'member "version" is missing'
echo "par_add_plugin: all as expected"
