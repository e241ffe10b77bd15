#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/base/parse_number.hpp"
#include "plugin-api/devkit/par-plugin/commands.hpp"
#include "plugin-api/devkit/par-plugin/isolated.hpp"
#include "plugin-api/devkit/par-plugin/report.hpp"

namespace par::kit {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct Options {
  std::filesystem::path file;
  std::filesystem::path samples;
  std::filesystem::path json;
  std::filesystem::path junit;
  std::string only;
  std::string net;
  int seconds = 60;
};

// An error text, or nothing.
std::string read_options(Words words, Options& options) {
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word.substr(0, 2) != "--") {
      if (!options.file.empty()) return fmt::format("one library at a time, found {} as well", word);
      options.file = word;
      continue;
    }
    if (i + 1 == words.size()) return fmt::format("{} has no value behind it", word);
    const std::string_view value = words[++i];
    if (word == "--samples")
      options.samples = value;
    else if (word == "--json")
      options.json = value;
    else if (word == "--junit")
      options.junit = value;
    else if (word == "--only")
      options.only = value;
    else if (word == "--net")
      options.net += (options.net.empty() ? "" : ",") + std::string(value);
    else if (word == "--limit")
      options.seconds = core::parse_number<int>(value).value_or(0);
    else
      return fmt::format("unknown option {}", word);
  }
  if (options.file.empty()) return "no library is named";
  std::map<std::string, std::string> hosts;
  if (const auto read = read_hosts(options.net, hosts); !read) return read.error().message;
  if (options.seconds < 1) return "--limit must be a number of seconds of at least 1";
  if (!options.only.empty() && find_check(options.only) == nullptr) {
    return fmt::format("there is no check {} (par-plugin list shows them)", options.only);
  }
  return "";
}

bool write_to(const std::filesystem::path& file, const std::string& text) {
  if (file.empty()) return true;
  if (file == "-") return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  if (!out) complain(fmt::format("{} cannot be written", file.string()));
  return static_cast<bool>(out);
}

}  // namespace

int check_command(Words words) {
  Options options;
  if (const std::string wrong = read_options(words, options); !wrong.empty()) return complain(wrong, k_usage);
  std::error_code error;
  if (!std::filesystem::is_regular_file(options.file, error)) {
    return complain(options.file.string() + ": there is no such file", k_usage);
  }
  // Wrong samples are the author's mistake, not the library's: say so at once. A library without a usable
  // manifest has none, and the checks say that.
  if (!options.samples.empty() && read_subject(options.file, {})) {
    if (const auto subject = read_subject(options.file, options.samples); !subject) {
      return complain(subject.error().message, k_usage);
    }
  }
  std::vector<Finding> findings;
  bool bad = false;
  for (const Check& check : all_checks()) {
    if (!options.only.empty() && check.name != options.only) continue;
    const auto started = steady_clock::now();
    const Verdict verdict = run_isolated(
        {"run-check", std::string(check.name), options.file.string(), options.samples.string(), options.net},
        std::chrono::seconds(options.seconds));
    findings.push_back(
        {check, verdict, std::chrono::duration_cast<milliseconds>(steady_clock::now() - started)});
    bad = bad || verdict.is_bad();
  }
  if (options.json != "-" && options.junit != "-") write_to("-", as_text(options.file, findings));
  const bool written = write_to(options.json, as_json(options.file, findings)) &&
                       write_to(options.junit, as_junit(options.file, findings));
  return bad || !written ? k_failed : k_done;
}

int run_check_command(Words words) {
  const Check* const check = words.size() == 4 ? find_check(words[0]) : nullptr;
  if (check == nullptr) return complain("run-check is for par-plugin itself", k_usage);
  const std::filesystem::path file(words[1]);
  if (check->of_file != nullptr) end_with(check->of_file(file));
  auto subject = read_subject(file, words[2]);
  if (!subject) end_with(skipped("the manifest cannot be used"));
  if (const auto read = read_hosts(words[3], subject->hosts); !read) end_with(failed(read.error().message));
  end_with(check->of_subject(*subject));
}

}  // namespace par::kit
