#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "core/plugin/schema.hpp"

namespace par::core {
namespace {

struct TypeName {
  std::string_view name;
  Schema::Type type;
};
constexpr std::array<TypeName, 7> k_types{{{"null", Schema::k_null},
                                           {"boolean", Schema::k_boolean},
                                           {"integer", Schema::k_integer},
                                           {"number", Schema::k_number},
                                           {"string", Schema::k_string},
                                           {"array", Schema::k_array},
                                           {"object", Schema::k_object}}};

}  // namespace

/// Fills one Schema from its JSON. The first problem stops it.
class SchemaCompiler {
 public:
  explicit SchemaCompiler(std::string where) : where_(std::move(where)) {}

  Result<Schema> compile(const json::Value& source) {
    if (!source.IsObject()) return problem("a schema must be an object");
    for (const auto& member : source.GetObject()) {
      const auto done = keyword(json::text(member.name), member.value);
      if (!done) return tl::unexpected(done.error());
    }
    if (has_bounds_) schema_.bounds_ = std::make_shared<const Schema::Bounds>(std::move(bounds_));
    if (json::find(source, "exclusiveMinimum") != nullptr && !schema_.bounds_->minimum) {
      return problem("exclusiveMinimum needs minimum beside it");
    }
    if (json::find(source, "exclusiveMaximum") != nullptr && !schema_.bounds_->maximum) {
      return problem("exclusiveMaximum needs maximum beside it");
    }
    return std::move(schema_);
  }

 private:
  using Done = Result<void>;

  Done keyword(std::string_view name, const json::Value& value) {
    if (name == "title" || name == "description") return value.IsString() ? Done() : wrong(name, "a string");
    if (name == "default") return {};
    if (name == "$schema") return dialect(value);
    if (name == "type") return type(value);
    if (name == "enum") return values(value);
    if (name == "properties") return properties(value);
    if (name == "required") return required(value);
    if (name == "additionalProperties") return additional(value);
    if (name == "items") return one(name, value, schema_.items_);
    if (name == "not") return one(name, value, schema_.not_);
    if (name == "allOf") return several(name, value, schema_.all_of_);
    if (name == "anyOf") return several(name, value, schema_.any_of_);
    if (name == "oneOf") return several(name, value, schema_.one_of_);
    if (name == "pattern") return pattern(value);
    if (name == "minimum") return number(name, value, bounds_.minimum);
    if (name == "maximum") return number(name, value, bounds_.maximum);
    if (name == "exclusiveMinimum") return boolean(name, value, bounds_.exclusive_minimum);
    if (name == "exclusiveMaximum") return boolean(name, value, bounds_.exclusive_maximum);
    if (name == "minLength") return count(name, value, bounds_.min_length);
    if (name == "maxLength") return count(name, value, bounds_.max_length);
    if (name == "minItems") return count(name, value, bounds_.min_items);
    if (name == "maxItems") return count(name, value, bounds_.max_items);
    if (name == "minProperties") return count(name, value, bounds_.min_properties);
    if (name == "maxProperties") return count(name, value, bounds_.max_properties);
    return problem(fmt::format("keyword \"{}\" is not supported", name.substr(0, 64)));
  }

  Done dialect(const json::Value& value) {
    if (value.IsString() && json::text(value).starts_with("http://json-schema.org/draft-04/schema"))
      return {};
    return wrong("$schema", "\"http://json-schema.org/draft-04/schema#\"");
  }

  Done type(const json::Value& value) {
    schema_.types_ = 0;
    const auto add = [&](const json::Value& name) {
      const auto* known = std::find_if(k_types.begin(), k_types.end(), [&](const TypeName& candidate) {
        return name.IsString() && candidate.name == json::text(name);
      });
      if (known == k_types.end()) return false;
      schema_.types_ |= known->type;
      return true;
    };
    const bool valid =
        value.IsArray() ? !value.Empty() && std::all_of(value.Begin(), value.End(), add) : add(value);
    return valid ? Done() : wrong("type", "a name of a JSON type, or a list of such names");
  }

  Done values(const json::Value& value) {
    const auto scalar = [](const json::Value& item) { return !item.IsObject() && !item.IsArray(); };
    if (!value.IsArray() || value.Empty() || !std::all_of(value.Begin(), value.End(), scalar)) {
      return wrong("enum", "a list of strings, numbers, booleans or null");
    }
    for (const auto& item : value.GetArray()) schema_.enum_.push_back(json::write(item));
    return {};
  }

  Done properties(const json::Value& value) {
    if (!value.IsObject()) return wrong("properties", "an object");
    schema_.lists_properties_ = true;
    schema_.properties_.reserve(value.MemberCount());
    for (const auto& member : value.GetObject()) {
      const std::string name(json::text(member.name));
      if (schema_.property(name) != nullptr)
        return problem(fmt::format("property \"{}\" stands there twice", name));
      auto property = Schema::compile(member.value, where_ + ".properties." + name);
      if (!property) return tl::unexpected(property.error());
      schema_.properties_.emplace_back(name, std::move(*property));
    }
    return {};
  }

  Done required(const json::Value& value) {
    const auto is_string = [](const json::Value& item) { return item.IsString(); };
    if (!value.IsArray() || !std::all_of(value.Begin(), value.End(), is_string)) {
      return wrong("required", "a list of names");
    }
    for (const auto& name : value.GetArray()) schema_.required_.emplace_back(json::text(name));
    return {};
  }

  Done additional(const json::Value& value) {
    if (value.IsBool()) {
      schema_.additional_forbidden_ = !value.GetBool();
      return {};
    }
    return one("additionalProperties", value, schema_.additional_);
  }

  Done one(std::string_view name, const json::Value& value, std::shared_ptr<const Schema>& out) {
    auto schema = Schema::compile(value, fmt::format("{}.{}", where_, name));
    if (!schema) return tl::unexpected(schema.error());
    out = std::make_shared<const Schema>(std::move(*schema));
    return {};
  }

  Done several(std::string_view name, const json::Value& value, std::vector<Schema>& out) {
    if (!value.IsArray() || value.Empty()) return wrong(name, "a list of schemas");
    for (const auto& item : value.GetArray()) {
      auto schema = Schema::compile(item, fmt::format("{}.{}[{}]", where_, name, out.size()));
      if (!schema) return tl::unexpected(schema.error());
      out.push_back(std::move(*schema));
    }
    return {};
  }

  Done pattern(const json::Value& value) {
    if (!value.IsString()) return wrong("pattern", "a string");
    auto pattern = Pattern::compile(json::text(value));
    if (!pattern) return problem("pattern: " + pattern.error().message);
    bounds_.pattern = std::move(*pattern);
    bounds_.pattern_source = json::text(value);
    has_bounds_ = true;
    return {};
  }

  Done number(std::string_view name, const json::Value& value, std::optional<double>& out) {
    if (!value.IsNumber()) return wrong(name, "a number");
    out = value.GetDouble();
    has_bounds_ = true;
    return {};
  }

  Done boolean(std::string_view name, const json::Value& value, bool& out) {
    if (!value.IsBool()) return wrong(name, "a boolean, as in draft 4");
    out = value.GetBool();
    has_bounds_ = true;
    return {};
  }

  Done count(std::string_view name, const json::Value& value, uint64_t& out) {
    if (!value.IsUint64()) return wrong(name, "a whole number of 0 or more");
    out = value.GetUint64();
    has_bounds_ = true;
    return {};
  }

  tl::unexpected<Error> wrong(std::string_view keyword, std::string_view expected) const {
    return problem(fmt::format("{} must be {}", keyword, expected));
  }
  tl::unexpected<Error> problem(const std::string& text) const { return fail(where_ + ": " + text); }

  std::string where_;
  Schema schema_;
  Schema::Bounds bounds_;
  bool has_bounds_ = false;
};

Result<Schema> Schema::compile(const json::Value& schema, const std::string& where) {
  return SchemaCompiler(where).compile(schema);
}

}  // namespace par::core
