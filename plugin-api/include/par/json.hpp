// par/json.hpp: RapidJSON with the settings that make it safe for text from outside.
//
// RapidJSON's defaults recurse (a deep document ends the process), accept invalid UTF-8 and lone surrogates,
// and round numbers. Parse and write only through this header. Optional part of the SDK; the host uses it
// too.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>

#include <rapidjson/internal/strtod.h>

namespace rapidjson::internal {
// In the place of the full-precision conversion of 1.1.0, which computes garbage for a zero with an exponent
// ("0e99") and where rounding carries beyond 64 bits ("18446744073709551615.9"). `d` is what the reader has
// summed up, to be multiplied with 10^p; `decimals` are all digits, with the point before `decimal_position`,
// `exponent` is what was written as one.
inline double StrtodByLibrary(double d, int p, const char* decimals, size_t length, size_t decimal_position,
                              int exponent) {
  double result = 0;
  if (StrtodFast(d, p, &result)) return result;
  const auto power = static_cast<int64_t>(decimal_position) - static_cast<int64_t>(length) + exponent;
  const std::string text = std::string(decimals, length) + 'e' + std::to_string(power);
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), result);
  if (parsed.ec != std::errc::result_out_of_range) return result;
  return p > 0 ? HUGE_VAL : 0.0;
}
}  // namespace rapidjson::internal

#define StrtodFullPrecision StrtodByLibrary
#include <rapidjson/reader.h>
#undef StrtodFullPrecision

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace par::json {

using Document = rapidjson::Document;
using Value = rapidjson::Value;

/// Deepest nesting that any text may have.
inline constexpr unsigned k_max_depth = 256;

inline constexpr unsigned k_parse_flags = rapidjson::kParseIterativeFlag |
                                          rapidjson::kParseFullPrecisionFlag |
                                          rapidjson::kParseValidateEncodingFlag;

/// A handler that passes events on to `next`, but ends the parse at a lone surrogate, a number that is
/// infinite as a double, or below `max_depth` levels.
template <typename Next>
class Guard {
 public:
  using Ch = char;

  explicit Guard(Next& next, unsigned max_depth = k_max_depth) : next_(next), max_depth_(max_depth) {}

  bool Null() { return next_.Null(); }
  bool Bool(bool value) { return next_.Bool(value); }
  bool Int(int value) { return next_.Int(value); }
  bool Uint(unsigned value) { return next_.Uint(value); }
  bool Int64(int64_t value) { return next_.Int64(value); }
  bool Uint64(uint64_t value) { return next_.Uint64(value); }
  bool Double(double value) {
    if (std::isfinite(value)) return next_.Double(value);
    refusal_ = "number beyond the range of a double";
    return false;
  }
  bool RawNumber(const char* text, rapidjson::SizeType length, bool copy) {
    return next_.RawNumber(text, length, copy);
  }
  bool String(const char* text, rapidjson::SizeType length, bool copy) {
    return accept(text, length) && next_.String(text, length, copy);
  }
  bool Key(const char* text, rapidjson::SizeType length, bool copy) {
    return accept(text, length) && next_.Key(text, length, copy);
  }
  bool StartObject() { return descend() && next_.StartObject(); }
  bool EndObject(rapidjson::SizeType members) {
    --depth_;
    return next_.EndObject(members);
  }
  bool StartArray() { return descend() && next_.StartArray(); }
  bool EndArray(rapidjson::SizeType elements) {
    --depth_;
    return next_.EndArray(elements);
  }

  /// Why this guard ended the parse; null if it did not.
  const char* refusal() const { return refusal_; }

 private:
  bool descend() {
    if (++depth_ <= max_depth_) return true;
    refusal_ = "nested too deeply";
    return false;
  }

  // The escape \udc00 passes RapidJSON's own check and would come out as the invalid bytes ED B0 80.
  bool accept(const char* text, rapidjson::SizeType length) {
    const char* const end = text + length;
    for (const char* at = text; at < end; ++at) {
      at = static_cast<const char*>(std::memchr(at, 0xED, static_cast<size_t>(end - at)));
      if (at == nullptr) break;
      if (at + 1 < end && static_cast<unsigned char>(at[1]) >= 0xA0) {
        refusal_ = "lone surrogate in a string";
        return false;
      }
    }
    return true;
  }

  Next& next_;
  unsigned max_depth_;
  unsigned depth_ = 0;
  const char* refusal_ = nullptr;
};

namespace detail {

template <unsigned flags, typename Stream, typename Handler>
bool run(Stream& stream, Handler& handler, std::string& error, unsigned max_depth) {
  Guard<Handler> guard(handler, max_depth);
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse<flags>(stream, guard);
  if (!result.IsError()) return true;
  const char* const text =
      guard.refusal() != nullptr ? guard.refusal() : rapidjson::GetParseError_En(result.Code());
  error = std::string(text) + " at byte " + std::to_string(result.Offset());
  return false;
}

}  // namespace detail

/// Sends the events of `stream` to `handler`. False, with the reason and byte offset in `error`, if the text
/// is not exactly one JSON value within the limits or if the handler answered false.
template <unsigned extra_flags = 0, typename Stream, typename Handler>
bool parse_stream(Stream& stream, Handler& handler, std::string& error, unsigned max_depth = k_max_depth) {
  return detail::run<k_parse_flags | extra_flags>(stream, handler, error, max_depth);
}

/// As parse_stream, from memory.
template <unsigned extra_flags = 0, typename Handler>
bool parse_events(std::string_view text, Handler& handler, std::string& error,
                  unsigned max_depth = k_max_depth) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  if (!detail::run<k_parse_flags | extra_flags>(stream, handler, error, max_depth)) return false;
  // RapidJSON takes a NUL byte for the end of the text.
  if (stream.Tell() == text.size()) return true;
  error = "text after the value at byte " + std::to_string(stream.Tell());
  return false;
}

/// As parse_stream, from the `size` bytes at `text`, which are overwritten: strings point into them. A NUL
/// must follow them (a std::string's data() has one).
template <typename Handler>
bool parse_in_place(char* text, size_t size, Handler& handler, std::string& error,
                    unsigned max_depth = k_max_depth) {
  const std::string_view bytes(text, size);
  if (const size_t nul = bytes.find('\0'); nul != std::string_view::npos) {  // RapidJSON's end of the text
    error = "NUL byte at byte " + std::to_string(nul);
    return false;
  }
  // RapidJSON reads all bytes that the first one of a character promises, past the end of the text if need
  // be. No JSON text has such a byte at its very end.
  for (const char last : bytes.substr(size < 2 ? 0 : size - 2)) {
    if (static_cast<unsigned char>(last) < 0xC0) continue;
    error = "the text is cut off at byte " + std::to_string(size);
    return false;
  }
  rapidjson::InsituStringStream stream(text);
  return parse_stream<rapidjson::kParseInsituFlag>(stream, handler, error, max_depth);
}

/// Parses `text` into `document`. On failure the document is null and `error` says why and where.
inline bool parse(std::string_view text, Document& document, std::string& error,
                  unsigned max_depth = k_max_depth) {
  bool ok = false;
  auto generator = [&](Document& handler) {
    ok = parse_events(text, handler, error, max_depth);
    return ok;
  };
  document.Populate(generator);
  if (!ok) document.SetNull();
  return ok;
}

/// A number as other runtimes write it: shortest digits that round-trip, whole numbers without a fraction,
/// plain notation from 1e-6 to below 1e21. `value` must be finite.
inline std::string number(double value) {
  char buffer[64];
  const double magnitude = std::fabs(value);
  const bool plain = magnitude == 0 || (magnitude >= 1e-6 && magnitude < 1e21);
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  return {buffer, end.ptr};
}

/// Writes compact JSON. Doubles are written by number(); NaN and infinities make Double() answer false.
class Writer : public rapidjson::Writer<rapidjson::StringBuffer> {
  using Base = rapidjson::Writer<rapidjson::StringBuffer>;

 public:
  explicit Writer(rapidjson::StringBuffer& buffer) : Base(buffer) {}

  bool Double(double value) {
    if (!std::isfinite(value)) return false;
    const std::string text = number(value);
    return RawValue(text.data(), text.size(), rapidjson::kNumberType);
  }
  using Base::Key;
  using Base::String;
  bool Key(std::string_view text) {
    return Base::Key(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  }
  bool String(std::string_view text) {
    return Base::String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  }
};

/// `value` as compact JSON. It must come from parse() or be as shallow: writing recurses.
inline std::string write(const Value& value) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

/// Text of a string value.
inline std::string_view text(const Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

/// Member `name` of an object, or null if `object` is none or has no such member.
inline const Value* find(const Value& object, std::string_view name) {
  if (!object.IsObject()) return nullptr;
  const Value key(rapidjson::StringRef(name.data(), name.size()));
  const auto member = object.FindMember(key);
  return member == object.MemberEnd() ? nullptr : &member->value;
}

}  // namespace par::json
