"""Plugins from an empty directory, with nothing but the installed kit: made, built, checked, and run by the runner with a signed
task. One case for each language and way to use the kit.

kit_test.py CASE CMAKE BUILD_DIRECTORY   CASE: new, c, cpp, rust, go, subdirectory, fetch_content
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

CASE, CMAKE, BUILD = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]).resolve()
os.environ["PAR_BUILD_DIR"] = str(BUILD)
SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "e2e"))
import harness  # noqa: E402
import servers  # noqa: E402


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(77)


def run(*words, cwd=None, **environment):
    words = [str(word) for word in words]
    done = subprocess.run(words, cwd=cwd, env=os.environ | environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Kit:
    def __init__(self, directory):
        self.directory = directory
        self.prefix = directory / "prefix"
        for part in ("plugin-api", "plugin-api/devkit/par-plugin"):
            run(CMAKE, "--install", BUILD / part, "--prefix", self.prefix)
        self.program = self.prefix / "bin" / "par-plugin"

    def copy(self, example):
        """A copy of an example, so that nothing of the source tree is near."""
        return shutil.copytree(SOURCE / "examples" / "plugins" / example, self.directory / example)

    def build(self, source, *options):
        """Configures, builds and runs CTest, of which the checker is one test; returns the directory of the plugins."""
        run(CMAKE, "-S", source, "-B", source / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}", *options)
        run(CMAKE, "--build", source / "build")
        checked = run("ctest", "--test-dir", source / "build", "--output-on-failure", "--no-tests=error")
        assert "100% tests passed" in checked, checked
        return source / "build" / "plugins"

    def check(self, library, samples):
        run(self.program, "check", library, "--samples", samples)


def run_task(plugins, action, inputs, expected, tokens=None):
    """The outcome of a signed task in the real runner."""
    with harness.Backend() as backend, \
            harness.Runner(backend, allow=[action], config={"pluginsDirectory": str(plugins)}) as runner:
        task = {"action": action, "inputs": inputs}
        if tokens:
            task["connection"] = runner.token_connection("example.json", **tokens)
        done = backend.run(task)
        assert done["state"] == "succeeded", done
        assert done["outcome"]["outputs"] == expected, done


def greet(plugins, namespace):
    run_task(plugins, f"{namespace}.greet", {"name": "Ada"}, {"greeted": {"name": "Ada"}})


def case_new(kit):
    started = time.monotonic()
    run(kit.program, "new", "org.example.made", cwd=kit.directory)
    made = kit.directory / "org.example.made"
    plugins = kit.build(made)
    print(f"made, built and checked in {time.monotonic() - started:.1f} s")
    result = run(BUILD / "bin" / "par-runner", "invoke", "org.example.made.greet", "--inputs", made / "inputs.json",
                 PAR_PLUGINS_DIRECTORY=str(plugins), DD_PRIVATE_RUNNER_CONFIG_DIR=str(kit.directory))
    assert json.loads(result) == {"greeted": {"name": "Ada"}}, result
    greet(plugins, "org.example.made")
    print(f"and run after {time.monotonic() - started:.1f} s")
    for namespace in ("made", "org..made", "org.example/made", ".org.made"):
        refused = subprocess.run([kit.program, "new", namespace], cwd=kit.directory, capture_output=True, text=True)
        assert refused.returncode == 2 and "is no namespace" in refused.stderr, refused
    again = subprocess.run([kit.program, "new", "org.example.made"], cwd=kit.directory, capture_output=True, text=True)
    assert again.returncode == 1 and "not empty" in again.stderr, again


def case_c(kit):
    greet(kit.build(kit.copy("c")), "org.example.c")


def case_cpp(kit):
    plugins = kit.build(kit.copy("cpp"))
    with servers.http_server(lambda handler: servers.reply(
            handler, 200 if handler.headers["X-Api-Key"] == "key-of-the-test" else 403, {"title": "Printer on fire"})) as server:
        run_task(plugins, "org.example.cpp.getTicket", {"id": 7}, {"ticket": {"title": "Printer on fire"}},
                 {"url": server.url, "apiKey": "key-of-the-test"})


def case_rust(kit):
    if shutil.which("cargo") is None:
        skip("there is no cargo")
    source = kit.copy("rust")
    run(source / "build.sh", kit.directory / "plugins")
    kit.check(kit.directory / "plugins" / "org.example.rust.so", source / "samples.json")
    greet(kit.directory / "plugins", "org.example.rust")


def case_go(kit):
    if shutil.which("go") is None:
        skip("there is no go")
    source = kit.copy("go")
    run(source / "build.sh", kit.directory / "plugins", PREFIX=str(kit.prefix))
    kit.check(kit.directory / "plugins" / "org.example.go.so", source / "samples.json")
    greet(kit.directory / "plugins", "org.example.go")


def use_in_tree(kit, how):
    source = kit.copy("c")
    lines = (source / "CMakeLists.txt").read_text().replace("find_package(ParPluginApi 1.0 REQUIRED CONFIG)", how)
    (source / "CMakeLists.txt").write_text(lines)
    greet(kit.build(source, "-DPAR_TESTS=OFF", f"-DPAR_PLUGIN_CHECKER={kit.program}"), "org.example.c")


def case_subdirectory(kit):
    use_in_tree(kit, f'enable_language(CXX)\nadd_subdirectory("{SOURCE / "plugin-api"}" plugin-api)')


def case_fetch_content(kit):
    use_in_tree(kit, f"""enable_language(CXX)
include(FetchContent)
FetchContent_Declare(ParPluginApi SOURCE_DIR "{SOURCE / 'plugin-api'}")
FetchContent_MakeAvailable(ParPluginApi)""")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="par-kit-") as place:
        globals()[f"case_{CASE}"](Kit(pathlib.Path(place)))
