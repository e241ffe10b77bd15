#include "outputs.hpp"

#include "slices.hpp"

namespace kubernetes {
namespace {

std::string_view empty_value(JsonType type) {
  switch (type) {
    case JsonType::object:
      return "{}";
    case JsonType::array:
      return "[]";
    case JsonType::string:
      return "\"\"";
    case JsonType::integer:
      return "0";
    case JsonType::boolean:
      return "false";
    case JsonType::any:
      break;
  }
  return "null";
}

void add_member(Parts& parts, std::string_view name, std::string_view value) {
  parts.insert(parts.end(), {parts.empty() ? "{\"" : ",\"", name, "\":", value});
}

}  // namespace

std::optional<Parts> object_output(const Kind& kind, std::string_view answer) {
  const auto slices = slices_of(answer);
  // Every object of Kubernetes has metadata.
  if (!slices || find_slice(*slices, "metadata").substr(0, 1) != "{") return std::nullopt;
  if (kind.fields.empty()) return Parts{answer};
  Parts parts;
  for (const Field& field : kind.fields) {
    std::string_view value = find_slice(*slices, field.name);
    if (value.empty() && field.always) value = empty_value(field.type);
    if (!value.empty()) add_member(parts, field.name, value);
  }
  parts.emplace_back(parts.empty() ? "{}" : "}");
  return parts;
}

std::optional<Parts> list_output(std::string_view answer) {
  const auto slices = slices_of(answer);
  if (!slices) return std::nullopt;
  std::string_view items = find_slice(*slices, "items");
  if (items == "null") items = "[]";
  const std::string_view metadata = find_slice(*slices, "metadata");
  if (items.substr(0, 1) != "[" || (!metadata.empty() && metadata[0] != '{')) return std::nullopt;
  Parts parts;
  add_member(parts, "items", items);
  add_member(parts, "metadata", metadata.empty() ? "{}" : metadata);
  parts.emplace_back("}");
  return parts;
}

}  // namespace kubernetes
