#include "core/verify/struct_json.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/base/strings.hpp"
#include "core/verify/wire/task.pb.h"

namespace par::core {
namespace {

// Writes straight into one text, since inputs may be megabytes. Recursion is bounded by json::k_max_depth.
class StructWriter {
 public:
  bool write(const wire::Struct& object) {
    if (!descend()) return false;
    // A protobuf map has no order of its own; sorted, the same task always gives the same text.
    std::vector<const google::protobuf::Map<std::string, wire::Value>::value_type*> members;
    members.reserve(object.fields().size());
    for (const auto& member : object.fields()) members.push_back(&member);
    std::sort(members.begin(), members.end(),
              [](const auto* a, const auto* b) { return a->first < b->first; });
    char separator = '{';
    for (const auto* member : members) {
      out_ += separator;
      separator = ',';
      if (!write(member->first)) return false;
      out_ += ':';
      if (!write(member->second)) return in(member->first);
    }
    if (members.empty()) out_ += '{';
    out_ += '}';
    --depth_;
    return true;
  }

  std::string take() { return std::move(out_); }
  Error error() const {
    return {path_.empty() ? problem_ : fmt::format("{} in {}", problem_, cut_utf8(path_, k_max_path))};
  }

 private:
  static constexpr size_t k_max_path = 200;

  bool write(const wire::Value& value) {
    switch (value.kind_case()) {
      case wire::Value::kNumberValue:
        if (!std::isfinite(value.number_value())) return refuse("a number that is not finite");
        out_ += json::number(value.number_value());
        return true;
      case wire::Value::kStringValue:
        return write(value.string_value());
      case wire::Value::kBoolValue:
        out_ += value.bool_value() ? "true" : "false";
        return true;
      case wire::Value::kStructValue:
        return write(value.struct_value());
      case wire::Value::kListValue:
        return write(value.list_value());
      case wire::Value::kNullValue:
      case wire::Value::KIND_NOT_SET:
        break;
    }
    out_ += "null";
    return true;
  }

  bool write(const wire::ListValue& list) {
    if (!descend()) return false;
    char separator = '[';
    for (int i = 0; i < list.values_size(); ++i) {
      out_ += separator;
      separator = ',';
      if (!write(list.values(i))) return in(std::to_string(i));
    }
    if (list.values_size() == 0) out_ += '[';
    out_ += ']';
    --depth_;
    return true;
  }

  bool write(const std::string& text) {
    if (!is_utf8(text)) return refuse("text that is not UTF-8");
    out_ += '"';
    const char* from = text.data();
    const char* const end = from + text.size();
    for (const char* at = from; at != end; ++at) {
      const auto c = static_cast<unsigned char>(*at);
      if (c >= 0x20 && c != '"' && c != '\\') continue;
      out_.append(from, at);
      from = at + 1;
      escape(c);
    }
    out_.append(from, end);
    out_ += '"';
    return true;
  }

  void escape(unsigned char c) {
    out_ += '\\';
    switch (c) {
      case '"':
      case '\\':
        out_ += static_cast<char>(c);
        break;
      case '\n':
        out_ += 'n';
        break;
      case '\r':
        out_ += 'r';
        break;
      case '\t':
        out_ += 't';
        break;
      default:
        out_ += fmt::format("u{:04x}", c);
    }
  }

  bool descend() {
    return ++depth_ <= json::k_max_depth || refuse(fmt::format("more than {} levels", json::k_max_depth));
  }

  bool refuse(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  // Puts a step in front of the path of a refusal that comes from below.
  bool in(std::string_view step) {
    if (is_utf8(step) && path_.size() < k_max_path) path_ = fmt::format("/{}{}", step, path_);
    return false;
  }

  std::string out_;
  unsigned depth_ = 0;
  std::string problem_;
  std::string path_;
};

}  // namespace

Result<std::string> struct_to_json(const wire::Struct& value) {
  StructWriter writer;
  if (!writer.write(value)) return tl::unexpected(writer.error());
  return writer.take();
}

}  // namespace par::core
