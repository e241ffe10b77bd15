#include "core/config/setting.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "core/base/json.hpp"
#include "core/base/strings.hpp"

namespace par::core {
namespace {

std::string found(const Setting& setting) {
  switch (setting.kind) {
    case Setting::Kind::null:
      return "nothing";
    case Setting::Kind::list:
      return "a list";
    case Setting::Kind::map:
      return "a mapping";
    case Setting::Kind::scalar:
      break;
  }
  return setting.secret ? "a text" : fmt::format("\"{}\"", cut_utf8(setting.text, 60));
}

tl::unexpected<Error> expected(const Setting& setting, std::string_view what) {
  return fail(fmt::format("found {}, expected {}", found(setting), what));
}

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

// Helm prints large numbers as 1e+06, so every number is read as a double first.
std::optional<double> number_within(const Setting& setting, int64_t least, int64_t most) {
  if (setting.kind != Setting::Kind::scalar) return std::nullopt;
  const auto value = parse_number(trim(setting.text));
  if (!value || *value < static_cast<double>(least) || *value > static_cast<double>(most))
    return std::nullopt;
  return value;
}

Result<std::vector<std::string>> list_of_variable(const Setting& setting) {
  const std::string_view text = trim(setting.text);
  std::vector<std::string> words;
  if (text.starts_with('[')) {
    const auto document = parse_json(text, 2);
    if (!document)
      return fail("found a text that starts like a JSON list but is none: " + document.error().message);
    for (const json::Value& item : document->GetArray()) {
      if (!item.IsString())
        return fail("found a JSON list with other things than texts, expected only texts");
      words.emplace_back(json::text(item));
    }
    return words;
  }
  constexpr std::string_view k_separators = ", \t\r\n";
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find_first_of(k_separators, at), text.size());
    if (end > at) words.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

bool is_integer(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && text.size() <= 18 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool starts_like_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789.eE+-") == std::string_view::npos &&
         text.find_first_of("0123456789") != std::string_view::npos;
}

void write_scalar(json::Writer& writer, const Setting& setting) {
  const std::string_view text = setting.text;
  if (!setting.quoted) {
    if (text == "true" || text == "True" || text == "TRUE") {
      writer.Bool(true);
      return;
    }
    if (text == "false" || text == "False" || text == "FALSE") {
      writer.Bool(false);
      return;
    }
    if (const auto number = starts_like_number(text) ? parse_number(text) : std::nullopt) {
      if (is_integer(text)) {
        writer.Int64(std::strtoll(setting.text.c_str(), nullptr, 10));
      } else {
        writer.Double(*number);
      }
      return;
    }
  }
  writer.String(text);
}

void write_json(json::Writer& writer, const Setting& setting) {
  switch (setting.kind) {
    case Setting::Kind::null:
      writer.Null();
      break;
    case Setting::Kind::scalar:
      write_scalar(writer, setting);
      break;
    case Setting::Kind::list:
      writer.StartArray();
      for (const Setting& item : setting.items) write_json(writer, item);
      writer.EndArray();
      break;
    case Setting::Kind::map:
      writer.StartObject();
      for (const Setting::Member& member : setting.members) {
        writer.Key(member.key);
        write_json(writer, member.value);
      }
      writer.EndObject();
      break;
  }
}

}  // namespace

const Setting* Setting::find(std::string_view key) const {
  const auto member =
      std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.key == key; });
  return member == members.end() ? nullptr : &member->value;
}

Result<std::string> text_of(const Setting& setting) {
  if (setting.is_null()) return std::string();
  if (setting.kind != Setting::Kind::scalar) return expected(setting, "a text");
  return std::string(trim(setting.text));
}

Result<bool> flag_of(const Setting& setting) {
  if (setting.kind == Setting::Kind::scalar) {
    const std::string word = to_lower(trim(setting.text));
    if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
    if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  }
  return expected(setting, "true or false");
}

Result<int64_t> whole_number_of(const Setting& setting, int64_t least, int64_t most) {
  const auto value = number_within(setting, least, most);
  if (!value || *value != std::floor(*value)) {
    return expected(setting, fmt::format("a whole number from {} to {}", least, most));
  }
  return static_cast<int64_t>(*value);
}

Result<Milliseconds> seconds_of(const Setting& setting, int64_t least, int64_t most) {
  const auto value = number_within(setting, least, most);
  if (!value) return expected(setting, fmt::format("a number of seconds from {} to {}", least, most));
  return Milliseconds(std::llround(*value * 1000));
}

Result<Milliseconds> milliseconds_of(const Setting& setting, int64_t least, int64_t most) {
  const auto value = number_within(setting, least, most);
  if (!value || *value != std::floor(*value)) {
    return expected(setting, fmt::format("a whole number of milliseconds from {} to {}", least, most));
  }
  return Milliseconds(static_cast<int64_t>(*value));
}

Result<std::vector<std::string>> list_of(const Setting& setting) {
  if (setting.from_variable) return list_of_variable(setting);
  if (setting.is_null()) return std::vector<std::string>();
  if (setting.kind != Setting::Kind::list)
    return expected(setting, "a list (each item on a line of its own after \"- \")");
  std::vector<std::string> texts;
  for (const Setting& item : setting.items) {
    if (item.is_null()) continue;
    if (item.kind != Setting::Kind::scalar) {
      return fail(fmt::format(
          "found {} in the list, expected only texts (put quotes around a text with a colon and a "
          "blank, or with braces)",
          found(item)));
    }
    texts.push_back(item.text);
  }
  return texts;
}

std::string json_of(const Setting& setting) {
  rapidjson::StringBuffer buffer;
  json::Writer writer(buffer);
  write_json(writer, setting);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace par::core
