#include "parameters.hpp"

#include <charconv>

#include <par/sdk/error.hpp>

#include "statement.hpp"

namespace postgresql_plugin {
namespace {

using par::json::Value;

// The wire format counts them in 16 bits.
constexpr size_t k_most = 65535;

std::string number_text(const Value& value) {
  if (value.IsUint64()) return std::to_string(value.GetUint64());
  if (value.IsInt64()) return std::to_string(value.GetInt64());
  char buffer[400];  // the smallest double has 324 digits behind the point
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value.GetDouble(), std::chars_format::fixed);
  return {buffer, end.ptr};
}

}  // namespace

Parameters::Parameters(const Value* list, std::string_view name) {
  if (list == nullptr || !list->IsArray()) return;
  if (list->Size() > k_most) {
    throw par::Error(std::string(name) + " has " + std::to_string(list->Size()) +
                     " entries; a statement takes at most " + std::to_string(k_most));
  }
  texts_.reserve(list->Size());
  for (const Value& value : list->GetArray()) {
    if (value.IsNull()) {
      texts_.emplace_back(std::nullopt);
    } else if (value.IsBool()) {
      texts_.emplace_back(value.GetBool() ? "true" : "false");
    } else if (value.IsNumber()) {
      texts_.emplace_back(number_text(value));
    } else {
      const std::string where = std::string(name) + "[" + std::to_string(texts_.size()) + "]";
      if (!value.IsString()) {
        throw par::Error(where + " is " + (value.IsObject() ? "an object" : "a list") +
                         "; expected a string, number, boolean or null (send JSON as a string)");
      }
      refuse_nul(par::json::text(value), where);
      texts_.emplace_back(par::json::text(value));
    }
  }
}

std::vector<const char*> Parameters::pointers() const {
  std::vector<const char*> pointers;
  pointers.reserve(texts_.size());
  for (const auto& text : texts_) pointers.push_back(text ? text->c_str() : nullptr);
  return pointers;
}

}  // namespace postgresql_plugin
