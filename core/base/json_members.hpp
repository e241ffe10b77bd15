#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/json.hpp"
#include "core/base/result.hpp"
#include "core/base/strings.hpp"

namespace par::core {

/// Reads the members of a JSON object that people write by hand. Each read notes the name, the first mistake
/// is kept, and finish() refuses names that nobody asked for, with the nearest known one.
class Members {
 public:
  /// `where` stands in front of error texts, such as "overrides".
  Members(const json::Value& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object.IsObject()) mistake(fmt::format("{} must be a JSON object", where_));
  }

  const json::Value* any(const std::string& name) {
    known_.push_back(name);
    return json::find(object_, name);
  }
  void read(const std::string& name, std::string& value) {
    if (const json::Value* found = typed(name, &json::Value::IsString, "a text")) value = json::text(*found);
  }
  void read(const std::string& name, std::optional<std::string>& value) {
    if (const json::Value* found = typed(name, &json::Value::IsString, "a text"))
      value = std::string(json::text(*found));
  }
  void read(const std::string& name, bool& value) {
    if (const json::Value* found = typed(name, &json::Value::IsBool, "true or false"))
      value = found->GetBool();
  }
  void read(const std::string& name, std::optional<bool>& value) {
    if (const json::Value* found = typed(name, &json::Value::IsBool, "true or false"))
      value = found->GetBool();
  }
  void read(const std::string& name, int64_t& value, int64_t least = std::numeric_limits<int64_t>::min()) {
    std::optional<int64_t> read_value;
    read(name, read_value, least);
    if (read_value) value = *read_value;
  }
  void read(const std::string& name, std::optional<int64_t>& value,
            int64_t least = std::numeric_limits<int64_t>::min()) {
    const json::Value* const found = typed(name, &json::Value::IsInt64, "a whole number");
    if (found == nullptr) return;
    if (found->GetInt64() < least)
      return mistake(fmt::format("{}.{} must be at least {}", where_, name, least));
    value = found->GetInt64();
  }
  void read(const std::string& name, std::optional<uint64_t>& value) {
    if (const json::Value* found = typed(name, &json::Value::IsUint64, "a whole number, not negative"))
      value = found->GetUint64();
  }

  void read(const std::string& name, std::vector<std::string>& value) {
    const json::Value* const found = typed(name, &json::Value::IsArray, "a list of texts");
    if (found == nullptr) return;
    value.clear();
    for (const json::Value& item : found->GetArray()) {
      if (!item.IsString()) return mistake(fmt::format("{}.{} must be a list of texts", where_, name));
      value.emplace_back(json::text(item));
    }
  }

  void mistake(std::string text) {
    if (!error_) error_ = Error{std::move(text)};
  }
  const std::string& where() const { return where_; }

  /// The first mistake, if there was one.
  Result<void> finish() {
    if (error_) return tl::unexpected(*error_);
    for (const auto& member : object_.GetObject()) {
      const std::string name(json::text(member.name));
      if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
      return fail(fmt::format("{} has no member \"{}\"{}; known are {}", where_, name,
                              did_you_mean(name, known_), fmt::join(known_, ", ")));
    }
    return {};
  }

 private:
  const json::Value* typed(const std::string& name, bool (json::Value::*is)() const, const char* expected) {
    const json::Value* const found = any(name);
    if (found == nullptr || found->IsNull()) return nullptr;
    if ((found->*is)()) return found;
    mistake(fmt::format("{}.{} must be {}", where_, name, expected));
    return nullptr;
  }

  const json::Value& object_;
  std::string where_;
  std::vector<std::string> known_;
  std::optional<Error> error_;
};

}  // namespace par::core
