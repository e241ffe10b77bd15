// par-plugin new: the files of a small plugin that is complete.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "plugin-api/devkit/par-plugin/commands.hpp"

namespace par::kit {
namespace {

// "@NAMESPACE@" and "@TARGET@" are replaced.
constexpr std::pair<const char*, const char*> k_files[] = {
    {"CMakeLists.txt", R"(cmake_minimum_required(VERSION 3.25)
project(@TARGET@ LANGUAGES C CXX)
find_package(ParPluginApi 1.0 REQUIRED CONFIG)
enable_testing()
par_add_plugin(@TARGET@ NAMESPACE @NAMESPACE@ MANIFEST manifest.json SOURCES plugin.cpp)
par_add_plugin_check(@TARGET@ SAMPLES samples.json)
)"},
    {"manifest.json", R"({
  "manifest_version": 1,
  "namespace": "@NAMESPACE@",
  "version": "0.1.0",
  "services": [],
  "actions": {
    "greet": {
      "summary": "Greet somebody",
      "effect": "reads",
      "input": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
      "output": {"type": "object", "required": ["greeted"], "properties": {"greeted": {"type": "object"}}}
    }
  }
}
)"},
    {"plugin.cpp", R"(#include <par/plugin.hpp>

class Plugin {
 public:
  // The inputs fit the manifest's schema; what is handed over must fit its output schema.
  void greet(const par::Request& request, par::Call& call) const {
    call.log(par::LogLevel::info, "greeting");
    call.result({R"J({"greeted":)J", request.inputs_json(), "}"});
  }
};

PAR_PLUGIN(Plugin, {"greet", &Plugin::greet});
)"},
    {"samples.json", R"({
  "actions": {
    "greet": [{"name": "somebody", "inputs": {"name": "Ada"}}]
  }
}
)"},
    {"inputs.json", R"({"name": "Ada"}
)"},
    {"Containerfile", R"(# The runner with this plugin. RUNNER is the image that you run today.
ARG RUNNER
FROM ${RUNNER}
COPY build/plugins/@NAMESPACE@.so /usr/lib/par-runner/plugins/
)"},
    {".gitignore", "build/\n"},
    {"README.md", R"(# @NAMESPACE@

```sh
cmake -S . -B build && cmake --build build            # -DCMAKE_PREFIX_PATH=... if the kit is not below /usr
ctest --test-dir build --output-on-failure            # par-plugin check
PAR_PLUGINS_DIRECTORY=build/plugins par-runner invoke @NAMESPACE@.greet --inputs inputs.json
```

`manifest.json` describes the actions, `plugin.cpp` runs them, `samples.json` are calls that the checker makes.
)"},
};

bool is_namespace(std::string_view text) {
  if (text.empty() || text.size() > 200 || text.front() == '.' || text.back() == '.') return false;
  if (text.find('.') == std::string_view::npos || text.find("..") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
  });
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

int new_command(Words words) {
  if (words.empty() || words.size() > 2)
    return complain("new takes a namespace, and perhaps a directory", k_usage);
  const std::string name(words[0]);
  if (!is_namespace(name)) {
    return complain(
        fmt::format("\"{}\" is no namespace: expected a domain that you own, turned round, and a name, such "
                    "as org.example.tickets (letters, digits, '_' and '-' between dots)",
                    name),
        k_usage);
  }
  const std::filesystem::path directory(words.size() == 2 ? words[1] : words[0]);
  std::error_code error;
  if (std::filesystem::exists(directory, error) && !std::filesystem::is_empty(directory, error)) {
    return complain(fmt::format("{} is there already and not empty", directory.string()));
  }
  std::filesystem::create_directories(directory, error);
  std::string target = name.substr(name.rfind('.') + 1);
  for (char& c : target) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  for (const auto& [file, content] : k_files) {
    std::string text = content;
    replace_all(text, "@NAMESPACE@", name);
    replace_all(text, "@TARGET@", "plugin_" + target);
    std::ofstream out(directory / file, std::ios::binary);
    out << text;
    out.close();
    if (!out) return complain(fmt::format("{} cannot be written", (directory / file).string()));
  }
  std::fputs(
      fmt::format("{0} is a plugin now. Next:\n  cd {0}\n  cmake -S . -B build && cmake --build build\n"
                  "  ctest --test-dir build\n",
                  directory.string())
          .c_str(),
      stdout);
  return k_done;
}

}  // namespace par::kit
