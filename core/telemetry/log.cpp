#include "core/telemetry/log.hpp"

#include <chrono>

#include <fmt/format.h>

#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/base/time.hpp"
#include "core/base/write_all.hpp"
#include "core/telemetry/redactor.hpp"

namespace par::core {
namespace {

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

// Bytes that are not ASCII become '?' in a text that is not UTF-8: a log line must always be valid.
std::string readable(std::string text) {
  if (is_utf8(text)) return text;
  for (char& c : text) {
    if ((static_cast<unsigned char>(c) & 0x80) != 0) c = '?';
  }
  return text;
}

std::string quoted(std::string_view text) {
  rapidjson::StringBuffer buffer;
  json::Writer writer(buffer);
  writer.String(text);
  return {buffer.GetString(), buffer.GetSize()};
}

void write_value(json::Writer& out, const LogField::Value& value, const Redactor& redactor) {
  std::visit(
      [&](const auto& plain) {
        using Plain = std::decay_t<decltype(plain)>;
        if constexpr (std::is_same_v<Plain, std::string_view>) {
          out.String(readable(redactor.redact(plain)));
        } else if constexpr (std::is_same_v<Plain, bool>) {
          out.Bool(plain);
        } else if constexpr (std::is_same_v<Plain, double>) {
          if (!out.Double(plain)) out.Null();
        } else if constexpr (std::is_same_v<Plain, int64_t>) {
          out.Int64(plain);
        } else {
          out.Uint64(plain);
        }
      },
      value);
}

// A value on a text line: quoted where blanks or control characters would blur where it ends.
std::string text_of(const LogField::Value& value, const Redactor& redactor) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    std::string safe = readable(redactor.redact(*text));
    const bool plain = !safe.empty() && safe.find_first_of(" \"\\=") == std::string::npos &&
                       quoted(safe).size() == safe.size() + 2;
    return plain ? safe : quoted(safe);
  }
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  if (const auto* number = std::get_if<int64_t>(&value)) return fmt::format("{}", *number);
  return fmt::format("{}", std::get<uint64_t>(value));
}

// A message keeps its quotes but no character that could move a terminal's cursor or fake a second line.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

Log::Log(int fd, LogFormat format, LogLevel least, const Redactor& redactor)
    : fd_(fd), format_(format), least_(least), redactor_(redactor) {}

void Log::set_common_fields(std::vector<std::pair<std::string, std::string>> fields) {
  common_ = std::move(fields);
}

void Log::write(LogLevel level, std::string_view message, const LogFields& fields) const {
  if (!enabled(level)) return;
  const int saved_errno = errno;
  const std::string time = rfc3339_ms(std::chrono::system_clock::now());
  const std::string safe = readable(redactor_.redact(message));
  if (format_ == LogFormat::text) {
    // People at a terminal know which runner they started, so the common fields are left out.
    std::string line = fmt::format("{} {:<5} {}", time, name_of(level), one_line(safe));
    for (const LogField& field : fields)
      line += fmt::format(" {}={}", field.key, text_of(field.value, redactor_));
    // Whatever cannot be written is given up: a full or closed pipe must not stop the runner.
    write_all(fd_, line + '\n');
  } else {
    rapidjson::StringBuffer buffer;
    json::Writer out(buffer);
    out.StartObject();
    out.Key("time");
    out.String(time);
    out.Key("level");
    out.String(name_of(level));
    out.Key("message");
    out.String(safe);
    for (const auto& [key, value] : common_) {
      out.Key(key);
      out.String(readable(redactor_.redact(value)));
    }
    for (const LogField& field : fields) {
      out.Key(field.key);
      write_value(out, field.value, redactor_);
    }
    out.EndObject();
    buffer.Put('\n');
    write_all(fd_, {buffer.GetString(), buffer.GetSize()});
  }
  errno = saved_errno;
}

}  // namespace par::core
