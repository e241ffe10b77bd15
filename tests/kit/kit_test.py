"""Plugins from an empty directory, with nothing but the installed kit: made, built, checked, and run by the runner, once with
`par-runner invoke` and once with a signed task. One case for each language and way to use the kit.

Compilers are those of the distribution, in an environment that has nothing of the one who runs this.

kit_test.py CASE CMAKE BUILD_DIRECTORY   CASE: new, readme, c, cpp, rust, go, subdirectory, fetch_content
"""
import json
import os
import pathlib
import re
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


# Go compiles its whole library for every new cache.
CLEAN = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "GOCACHE": str(BUILD / "go-cache")}


def need(program, package):
    if shutil.which(program, path=CLEAN["PATH"]) is None:
        print(f"SKIPPED: the distribution's {program} is not installed (apt-get install {package})")
        sys.exit(77)


def run(*words, cwd=None, **environment):
    words = [str(word) for word in words]
    done = subprocess.run(words, cwd=cwd, env=CLEAN | environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Kit:
    def __init__(self, directory):
        self.directory = directory
        self.prefix = directory / "prefix"
        CLEAN["HOME"] = str(directory / "home")
        for part in ("plugin-api", "plugin-api/devkit/par-plugin"):
            run(CMAKE, "--install", BUILD / part, "--prefix", self.prefix)
        self.program = self.prefix / "bin" / "par-plugin"

    def copy(self, example):
        """A copy of an example of the kit."""
        return shutil.copytree(self.prefix / "share/par-runner/plugin-api/examples" / example, self.directory / example)

    def build(self, source, *options):
        """Configures, builds and runs CTest, of which the checker is one test; returns the directory of the plugins."""
        run(CMAKE, "-S", source, "-B", source / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}", *options)
        run(CMAKE, "--build", source / "build")
        checked = run(pathlib.Path(CMAKE).with_name("ctest"), "--test-dir", source / "build", "--output-on-failure", "--no-tests=error")
        assert "100% tests passed" in checked, checked
        return source / "build" / "plugins"

    def build_with_script(self, source):
        """Runs an example's build.sh and the checker; returns the directory of the plugin."""
        plugins = self.directory / "plugins"
        run(source / "build.sh", plugins, PREFIX=str(self.prefix))
        for library in plugins.glob("*.so"):
            run(self.program, "check", library, "--samples", source / "samples.json")
        return plugins

    def assert_alone(self):
        """Nothing that was made knows where the source tree of the runner is."""
        for file in self.directory.rglob("*"):
            if file.is_file() and self.prefix not in file.parents:
                assert str(SOURCE).encode() not in file.read_bytes(), f"{file} names {SOURCE}"


def run_action(kit, plugins, action, inputs, expected, tokens=None):
    """Runs it without Datadog, and as a signed task in the real runner."""
    started = time.monotonic()
    (kit.directory / "inputs.json").write_text(json.dumps(inputs))
    (kit.directory / "credentials.json").write_text(json.dumps(harness.token_auth(**tokens or {})))
    result = run(BUILD / "bin" / "par-runner", "invoke", action, "--inputs", kit.directory / "inputs.json",
                 "--connection", kit.directory / "credentials.json",
                 PAR_PLUGINS_DIRECTORY=str(plugins), DD_PRIVATE_RUNNER_CONFIG_DIR=str(kit.directory))
    assert json.loads(result) == expected, result
    with harness.Backend() as backend, \
            harness.Runner(backend, allow=[action], config={"pluginsDirectory": str(plugins)}) as runner:
        task = {"action": action, "inputs": inputs}
        if tokens:
            task["connection"] = runner.token_connection("example.json", **tokens)
        done = backend.run(task)
        assert done["state"] == "succeeded", done
        assert done["outcome"]["outputs"] == expected, done
    print(f"run in {time.monotonic() - started:.1f} s")


def greet(kit, plugins, namespace):
    run_action(kit, plugins, f"{namespace}.greet", {"name": "Ada"}, {"greeted": {"name": "Ada"}})


def case_new(kit):
    started = time.monotonic()
    run(kit.program, "new", "org.example.made", cwd=kit.directory)
    made = kit.directory / "org.example.made"
    plugins = kit.build(made)
    print(f"made, built and checked in {time.monotonic() - started:.1f} s")
    greet(kit, plugins, "org.example.made")
    kit.assert_alone()
    for namespace in ("made", "org..made", "org.example/made", ".org.made"):
        refused = subprocess.run([kit.program, "new", namespace], cwd=kit.directory, capture_output=True, text=True)
        assert refused.returncode == 2 and "is no namespace" in refused.stderr, refused
    again = subprocess.run([kit.program, "new", "org.example.made"], cwd=kit.directory, capture_output=True, text=True)
    assert again.returncode == 1 and "not empty" in again.stderr, again


def case_readme(kit):
    """The first plugin of the README, from its own blocks."""
    page = (kit.prefix / "share/par-runner/plugin-api/README.md").read_text()
    page = page[page.index("## Hello, world"):page.index("### Connections without Datadog")].replace("/opt/par-runner", str(kit.prefix))
    made = kit.directory / "hello"
    made.mkdir()
    for name, language in (("CMakeLists.txt", "cmake"), ("hello.json", "json"), ("hello.cpp", "cpp")):
        (made / name).write_text(re.search(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[1])
    commands = "".join(re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE))
    printed = run("sh", "-euc", commands, cwd=made, PATH=f"{BUILD / 'bin'}:{CLEAN['PATH']}", DD_PRIVATE_RUNNER_CONFIG_DIR=str(made))
    assert printed.endswith('{"inputs":{"name": "Ada"}\n}\n'), printed
    kit.assert_alone()


def case_c(kit):
    greet(kit, kit.build(kit.copy("c")), "org.example.c")
    kit.assert_alone()


def case_cpp(kit):
    plugins = kit.build(kit.copy("cpp"))
    with servers.http_server(lambda handler: servers.reply(
            handler, 200 if handler.headers["X-Api-Key"] == "key-of-the-test" else 403, {"title": "Printer on fire"})) as server:
        run_action(kit, plugins, "org.example.cpp.getTicket", {"id": 7}, {"ticket": {"title": "Printer on fire"}},
                   {"url": server.url, "apiKey": "key-of-the-test"})
    kit.assert_alone()


def case_rust(kit):
    need("cargo", "cargo")
    print(run("rustc", "--version").strip())
    greet(kit, kit.build_with_script(kit.copy("rust")), "org.example.rust")
    kit.assert_alone()


def case_go(kit):
    need("go", "golang-go")
    print(run("go", "version").strip())
    greet(kit, kit.build_with_script(kit.copy("go")), "org.example.go")
    kit.assert_alone()


def use_in_tree(kit, how):
    source = kit.copy("c")
    lines = (source / "CMakeLists.txt").read_text().replace("find_package(ParPluginApi 1.0 REQUIRED CONFIG)", how)
    (source / "CMakeLists.txt").write_text(lines)
    greet(kit, kit.build(source, "-DPAR_TESTS=OFF", f"-DPAR_PLUGIN_CHECKER={kit.program}"), "org.example.c")


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
