#include "core/plugin/schema.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/strings.hpp"

namespace par::core {
namespace {

/// Whole and within 64 bits, whatever way it was written.
bool is_integer(const json::Value& value) {
  if (value.IsInt64() || value.IsUint64()) return true;
  if (!value.IsDouble()) return false;
  const double number = value.GetDouble();
  return std::trunc(number) == number && number >= -0x1p63 && number < 0x1p64;
}

Schema::Type type_of(const json::Value& value) {
  switch (value.GetType()) {
    case rapidjson::kNullType:
      return Schema::k_null;
    case rapidjson::kFalseType:
    case rapidjson::kTrueType:
      return Schema::k_boolean;
    case rapidjson::kStringType:
      return Schema::k_string;
    case rapidjson::kArrayType:
      return Schema::k_array;
    case rapidjson::kObjectType:
      return Schema::k_object;
    default:
      return is_integer(value) ? Schema::k_integer | Schema::k_number : Schema::k_number;
  }
}

/// A value for people. A string is not shown: it may be a secret.
std::string describe(const json::Value& value) {
  switch (value.GetType()) {
    case rapidjson::kNullType:
      return "null";
    case rapidjson::kFalseType:
      return "false";
    case rapidjson::kTrueType:
      return "true";
    case rapidjson::kStringType:
      return "a string";
    case rapidjson::kArrayType:
      return "an array";
    case rapidjson::kObjectType:
      return "an object";
    default:
      return "the number " + json::write(value);
  }
}

std::string describe_types(Schema::Type types) {
  constexpr std::pair<Schema::Type, const char*> k_names[] = {
      {Schema::k_string, "a string"}, {Schema::k_number, "a number"},  {Schema::k_integer, "an integer"},
      {Schema::k_array, "an array"},  {Schema::k_object, "an object"}, {Schema::k_boolean, "true or false"},
      {Schema::k_null, "null"}};
  std::string text;
  for (const auto& [type, name] : k_names) {
    if ((types & type) == 0 || (type == Schema::k_integer && (types & Schema::k_number) != 0)) continue;
    if (!text.empty()) text += " or ";
    text += name;
  }
  return text;
}

std::string step(std::string_view name) {
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '$';
  });
  if (plain && name.size() <= 128) return fmt::format(".{}", name);
  return fmt::format("[{}]",
                     json::write(json::Value(rapidjson::StringRef(name.data(), cut_utf8(name, 128).size()))));
}

uint64_t code_points(std::string_view text) {
  return static_cast<uint64_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// "at least 2", "at most 5" for a count outside [least, most]; empty if it is inside.
std::string outside(uint64_t count, uint64_t least, uint64_t most) {
  if (count < least) return fmt::format("at least {}", least);
  if (count > most) return fmt::format("at most {}", most);
  return "";
}

}  // namespace

Result<void> Schema::validate(const json::Value& value, std::string_view name) const {
  const Check violation = check(value);
  if (!violation) return {};
  return fail(
      fmt::format("{}{} is {}, expected {}", name, violation->path, violation->found, violation->expected));
}

bool Schema::allows_null() const {
  return !check(json::Value());
}

const Schema* Schema::property(std::string_view name) const {
  for (const auto& [known, schema] : properties_) {
    if (known == name) return &schema;
  }
  return nullptr;
}

const std::pair<std::string, Schema>* Schema::property_ignoring_case(std::string_view name) const {
  for (const auto& property : properties_) {
    if (equals_ignoring_case(property.first, name)) return &property;
  }
  return nullptr;
}

std::string Schema::expectation() const {
  if (!enum_.empty()) return fmt::format("{}{}", enum_.size() > 1 ? "one of " : "", fmt::join(enum_, ", "));
  if (types_ != k_any) return describe_types(types_);
  return "a value";
}

Schema::Check Schema::check(const json::Value& value) const {
  if (auto violation = check_type(value)) return violation;
  if (auto violation = check_enum(value)) return violation;
  Check violation;
  if (value.IsObject()) {
    violation = check_object(value);
  } else if (value.IsArray()) {
    violation = check_array(value);
  } else if (bounds_ != nullptr && value.IsString()) {
    violation = check_string(value);
  } else if (bounds_ != nullptr && value.IsNumber()) {
    violation = check_number(value);
  }
  return violation ? violation : check_alternatives(value);
}

Schema::Check Schema::check_type(const json::Value& value) const {
  if ((types_ & type_of(value)) != 0) return {};
  return Violation{"", describe(value), describe_types(types_)};
}

Schema::Check Schema::check_enum(const json::Value& value) const {
  if (enum_.empty()) return {};
  if (value.IsObject() || value.IsArray()) return Violation{"", describe(value), expectation()};
  const std::string text = json::write(value);
  if (std::find(enum_.begin(), enum_.end(), text) != enum_.end()) return {};
  return Violation{"", text.size() <= 80 ? text : describe(value), expectation()};
}

Schema::Check Schema::check_number(const json::Value& value) const {
  const double number = value.GetDouble();
  const auto violation = [&](const char* relation, double bound) {
    return Violation{"", json::number(number), fmt::format("{} {}", relation, json::number(bound))};
  };
  if (const auto& least = bounds_->minimum) {
    if (bounds_->exclusive_minimum ? number <= *least : number < *least) {
      return violation(bounds_->exclusive_minimum ? "more than" : "at least", *least);
    }
  }
  if (const auto& most = bounds_->maximum) {
    if (bounds_->exclusive_maximum ? number >= *most : number > *most) {
      return violation(bounds_->exclusive_maximum ? "less than" : "at most", *most);
    }
  }
  return {};
}

Schema::Check Schema::check_string(const json::Value& value) const {
  const std::string_view text = json::text(value);
  if (bounds_->min_length != 0 || bounds_->max_length != UINT64_MAX) {
    const uint64_t length = code_points(text);
    if (const auto limit = outside(length, bounds_->min_length, bounds_->max_length); !limit.empty()) {
      return Violation{"", length == 0 ? "an empty string" : fmt::format("a string of {} characters", length),
                       limit + " characters"};
    }
  }
  if (bounds_->pattern && !bounds_->pattern->matches(text)) {
    return Violation{"", "a string of another form", fmt::format("a match of {}", bounds_->pattern_source)};
  }
  return {};
}

Schema::Check Schema::check_array(const json::Value& value) const {
  if (bounds_ != nullptr) {
    if (const auto limit = outside(value.Size(), bounds_->min_items, bounds_->max_items); !limit.empty()) {
      return Violation{"", fmt::format("an array of {} elements", value.Size()), limit + " elements"};
    }
  }
  if (items_ == nullptr) return {};
  for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
    if (auto violation = items_->check(value[i])) {
      violation->path.insert(0, fmt::format("[{}]", i));
      return violation;
    }
  }
  return {};
}

Schema::Check Schema::check_object(const json::Value& value) const {
  for (const std::string& name : required_) {
    if (json::find(value, name) != nullptr) continue;
    const Schema* const schema = property(name);
    return Violation{step(name), "missing", schema == nullptr ? "a value" : schema->expectation()};
  }
  if (bounds_ != nullptr) {
    if (const auto limit = outside(value.MemberCount(), bounds_->min_properties, bounds_->max_properties);
        !limit.empty()) {
      return Violation{"", fmt::format("an object of {} members", value.MemberCount()), limit + " members"};
    }
  }
  if (properties_.empty() && additional_ == nullptr && !additional_forbidden_) return {};
  // Every member is looked at, not every property: of a name that stands there twice both values are checked.
  for (const auto& member : value.GetObject()) {
    const std::string_view name = json::text(member.name);
    const Schema* schema = property(name);
    if (schema == nullptr) {
      if (additional_forbidden_) {
        std::vector<std::string> known;
        for (const auto& entry : properties_) known.push_back(entry.first);
        const std::string_view meant = nearest(name, known);
        return Violation{step(name), "not known",
                         meant.empty() ? "one of " + fmt::format("{}", fmt::join(known, ", "))
                                       : fmt::format("perhaps {}", meant)};
      }
      schema = additional_.get();
      if (schema == nullptr) continue;
    }
    if (auto violation = schema->check(member.value)) {
      violation->path.insert(0, step(name));
      return violation;
    }
  }
  return {};
}

Schema::Check Schema::check_alternatives(const json::Value& value) const {
  for (const Schema& schema : all_of_) {
    if (auto violation = schema.check(value)) return violation;
  }
  for (const auto* alternatives : {&any_of_, &one_of_}) {
    if (alternatives->empty()) continue;
    size_t matches = 0;
    // Of several alternatives that do not fit, the one that fits deepest is most likely meant.
    Check closest;
    std::string expected;
    for (const Schema& schema : *alternatives) {
      auto violation = schema.check(value);
      if (!violation) {
        ++matches;
        continue;
      }
      if (violation->path.empty()) expected += (expected.empty() ? "" : " or ") + violation->expected;
      if (!closest || violation->path.size() > closest->path.size()) closest = std::move(violation);
    }
    if (matches == 0) {
      if (closest->path.empty()) closest->expected = expected;
      return closest;
    }
    if (alternatives == &one_of_ && matches > 1) {
      return Violation{"", fmt::format("{} in {} of the possible forms", describe(value), matches),
                       "exactly one"};
    }
  }
  if (not_ != nullptr && !not_->check(value)) {
    return Violation{"", describe(value), "anything but " + not_->expectation()};
  }
  return {};
}

}  // namespace par::core
