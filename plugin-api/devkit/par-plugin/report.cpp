#include "plugin-api/devkit/par-plugin/report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/json.hpp"

namespace par::kit {
namespace {

std::string_view name_of(Verdict::Status status) {
  switch (status) {
    case Verdict::Status::passed:
      return "passed";
    case Verdict::Status::failed:
      return "failed";
    case Verdict::Status::crashed:
      return "crashed";
    case Verdict::Status::timed_out:
      return "timed out";
    case Verdict::Status::skipped:
      return "skipped";
  }
  return "";
}

long bad_ones(const std::vector<Finding>& findings) {
  return std::count_if(findings.begin(), findings.end(), [](const Finding& f) { return f.verdict.is_bad(); });
}

long skipped_ones(const std::vector<Finding>& findings) {
  return std::count_if(findings.begin(), findings.end(),
                       [](const Finding& f) { return f.verdict.status == Verdict::Status::skipped; });
}

// Text of a library may hold any bytes.
std::string printable(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    const bool plain = (c >= ' ' && c <= '~') || c == '\n';
    safe += plain ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return safe;
}

std::string xml(std::string_view text) {
  std::string safe;
  for (const char c : printable(text)) {
    if (c == '&')
      safe += "&amp;";
    else if (c == '<')
      safe += "&lt;";
    else if (c == '>')
      safe += "&gt;";
    else if (c == '"')
      safe += "&quot;";
    else
      safe += c;
  }
  return safe;
}

void add_words(json::Writer& writer, std::string_view words) {
  writer.StartArray();
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    writer.String(std::string(words.substr(0, end)));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  writer.EndArray();
}

void add_text(json::Writer& writer, const char* key, std::string_view text) {
  writer.Key(key);
  writer.String(std::string(text));
}

std::string finished(const rapidjson::StringBuffer& buffer) {
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

}  // namespace

std::string as_text(const std::filesystem::path& file, const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += fmt::format("{:9}  {:22} {}\n", name_of(finding.verdict.status), finding.check.name,
                        finding.check.what);
    if (finding.verdict.text.empty()) continue;
    const std::string cite = finding.verdict.is_bad() ? fmt::format(" [{}]", finding.check.rules) : "";
    text += fmt::format("           -> {}{}\n", printable(finding.verdict.text), cite);
  }
  const long bad = bad_ones(findings);
  const long skips = skipped_ones(findings);
  return text + fmt::format("{}: {} checks, {} passed, {} failed, {} skipped\n", file.filename().string(),
                            findings.size(), static_cast<long>(findings.size()) - bad - skips, bad, skips);
}

std::string as_json(const std::filesystem::path& file, const std::vector<Finding>& findings) {
  rapidjson::StringBuffer buffer;
  json::Writer writer(buffer);
  writer.StartObject();
  add_text(writer, "library", file.string());
  writer.Key("ok");
  writer.Bool(bad_ones(findings) == 0);
  writer.Key("checks");
  writer.StartArray();
  for (const Finding& finding : findings) {
    writer.StartObject();
    add_text(writer, "check", finding.check.name);
    writer.Key("rules");
    add_words(writer, finding.check.rules);
    add_text(writer, "status", name_of(finding.verdict.status));
    add_text(writer, "text", printable(finding.verdict.text));
    writer.Key("milliseconds");
    writer.Int64(finding.took.count());
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return finished(buffer);
}

std::string as_junit(const std::filesystem::path& file, const std::vector<Finding>& findings) {
  std::string text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"{}\" tests=\"{}\" "
      "failures=\"{}\" skipped=\"{}\">\n",
      xml(file.filename().string()), findings.size(), bad_ones(findings), skipped_ones(findings));
  for (const Finding& finding : findings) {
    text += fmt::format("  <testcase classname=\"par-plugin\" name=\"{} {}\" time=\"{:.3f}\">",
                        finding.check.name, finding.check.rules,
                        static_cast<double>(finding.took.count()) / 1000);
    if (finding.verdict.is_bad()) {
      text += fmt::format("<failure message=\"{}\">{}</failure>", name_of(finding.verdict.status),
                          xml(finding.verdict.text));
    } else if (finding.verdict.status == Verdict::Status::skipped) {
      text += fmt::format("<skipped message=\"{}\"/>", xml(finding.verdict.text));
    }
    text += "</testcase>\n";
  }
  return text + "</testsuite>\n";
}

std::string list_of_checks(bool as_json) {
  if (!as_json) {
    std::string text;
    for (const Check& check : all_checks())
      text += fmt::format("{:22} {:22} {}\n", check.name, check.rules, check.what);
    text += "\nRules without a check:\n";
    for (const UncheckedRule& rule : unchecked_rules())
      text += fmt::format("{:8} {}\n", rule.id, rule.reason);
    return text;
  }
  rapidjson::StringBuffer buffer;
  json::Writer writer(buffer);
  writer.StartObject();
  writer.Key("checks");
  writer.StartArray();
  for (const Check& check : all_checks()) {
    writer.StartObject();
    add_text(writer, "check", check.name);
    writer.Key("rules");
    add_words(writer, check.rules);
    add_text(writer, "what", check.what);
    writer.EndObject();
  }
  writer.EndArray();
  writer.Key("unchecked");
  writer.StartObject();
  for (const UncheckedRule& rule : unchecked_rules())
    add_text(writer, std::string(rule.id).c_str(), rule.reason);
  writer.EndObject();
  writer.EndObject();
  return finished(buffer);
}

}  // namespace par::kit
