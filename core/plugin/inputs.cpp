#include "core/plugin/inputs.hpp"

#include <cmath>

#include "core/base/json.hpp"
#include "core/plugin/manifest.hpp"
#include "core/plugin/schema.hpp"

namespace par::core {
namespace {

std::optional<Milliseconds> time_limit(const json::Value& inputs) {
  const json::Value* const timeout = json::find(inputs, "timeout");
  if (timeout == nullptr || !timeout->IsNumber()) return {};
  const double seconds = timeout->GetDouble();
  if (!(seconds >= 1 && seconds <= 2147483647.0) || std::trunc(seconds) != seconds) return {};
  return std::chrono::seconds(static_cast<int64_t>(seconds));
}

/// Changes values in place and remembers whether it did.
class Normaliser {
 public:
  explicit Normaliser(json::Document::AllocatorType& allocator) : allocator_(allocator) {}

  void normalise(json::Value& value, const Schema& schema) {
    for (const Schema& part : schema.all_of()) normalise(value, part);
    if (value.IsDouble()) {
      whole(value, schema);
    } else if (value.IsArray() && schema.items() != nullptr) {
      for (auto& element : value.GetArray()) normalise(element, *schema.items());
    } else if (value.IsObject() && schema.lists_properties()) {
      members(value, schema);
    }
  }

  bool changed() const { return changed_; }

 private:
  void whole(json::Value& value, const Schema& schema) {
    const double number = value.GetDouble();
    if (schema.types() == Schema::k_any || (schema.types() & Schema::k_integer) == 0) return;
    if (std::trunc(number) != number || number < -0x1p63 || number >= 0x1p64) return;
    if (number < 0x1p63) {
      value.SetInt64(static_cast<int64_t>(number));
    } else {
      value.SetUint64(static_cast<uint64_t>(number));
    }
    changed_ = true;
  }

  void members(json::Value& object, const Schema& schema) {
    for (auto member = object.MemberBegin(); member != object.MemberEnd();) {
      const Schema* property = schema.property(json::text(member->name));
      if (property == nullptr) property = rename(object, *member, schema);
      if (property != nullptr && member->value.IsNull() && !property->allows_null()) {
        member = object.EraseMember(member);  // keeps the order of the others
        changed_ = true;
        continue;
      }
      if (property != nullptr) normalise(member->value, *property);
      ++member;
    }
  }

  const Schema* rename(const json::Value& object, json::Value::Member& member, const Schema& schema) {
    const auto* property = schema.property_ignoring_case(json::text(member.name));
    if (property == nullptr || json::find(object, property->first) != nullptr) return nullptr;
    member.name.SetString(property->first.data(), static_cast<rapidjson::SizeType>(property->first.size()),
                          allocator_);
    changed_ = true;
    return &property->second;
  }

  json::Document::AllocatorType& allocator_;
  bool changed_ = false;
};

}  // namespace

Result<PreparedInputs> prepare_inputs(std::string inputs_json, const Schema& schema) {
  auto document = parse_json(inputs_json);
  if (!document) return fail_in("inputs", document);
  if (!document->IsObject()) return fail("inputs are not a JSON object");
  PreparedInputs prepared;
  prepared.time_limit = time_limit(*document);
  Normaliser normaliser(document->GetAllocator());
  normaliser.normalise(*document, schema);
  if (auto valid = schema.validate(*document, "inputs"); !valid) return tl::unexpected(valid.error());
  prepared.json = normaliser.changed() ? json::write(*document) : std::move(inputs_json);
  return prepared;
}

Result<void> check_settings(const Manifest& manifest, std::string_view settings_json) {
  const std::string name = "plugins." + manifest.plugin_namespace;
  const auto document = parse_json(settings_json.empty() ? "{}" : settings_json);
  if (!document) return fail_in(name, document);
  if (!document->IsObject()) return fail(name + " is not an object");
  if (manifest.config_schema != nullptr) return manifest.config_schema->validate(*document, name);
  if (document->ObjectEmpty()) return {};
  return fail(name + " has settings, but this plugin takes none; remove them");
}

}  // namespace par::core
