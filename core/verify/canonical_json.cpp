#include "core/verify/canonical_json.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/base/strings.hpp"

namespace par::core {
namespace {

class CanonicalWriter {
 public:
  bool write(const json::Value& value) {
    switch (value.GetType()) {
      case rapidjson::kNullType:
        out_ += "null";
        return true;
      case rapidjson::kFalseType:
        out_ += "false";
        return true;
      case rapidjson::kTrueType:
        out_ += "true";
        return true;
      case rapidjson::kStringType:
        write_text(json::text(value));
        return true;
      case rapidjson::kNumberType:
        return write_number(value);
      case rapidjson::kArrayType:
        return write_array(value);
      case rapidjson::kObjectType:
        return write_object(value);
    }
    return false;
  }

  std::string take() { return std::move(out_); }
  Error error() const { return {problem_}; }

 private:
  bool write_number(const json::Value& value) {
    if (value.IsInt64()) {
      out_ += std::to_string(value.GetInt64());
    } else if (value.IsUint64()) {
      out_ += std::to_string(value.GetUint64());
    } else {
      problem_ = "it has a number that is not a whole one of 64 bits";
      return false;
    }
    return true;
  }

  bool write_array(const json::Value& array) {
    out_ += '[';
    for (auto element = array.Begin(); element != array.End(); ++element) {
      if (element != array.Begin()) out_ += ',';
      if (!write(*element)) return false;
    }
    out_ += ']';
    return true;
  }

  bool write_object(const json::Value& object) {
    std::vector<const json::Value::Member*> members;
    members.reserve(object.MemberCount());
    for (auto member = object.MemberBegin(); member != object.MemberEnd(); ++member)
      members.push_back(&*member);
    std::ranges::sort(members, {}, [](const auto* member) { return json::text(member->name); });
    out_ += '{';
    for (size_t i = 0; i < members.size(); ++i) {
      const std::string_view name = json::text(members[i]->name);
      if (i > 0 && name == json::text(members[i - 1]->name)) {
        problem_ = fmt::format("it has two members named '{}'", cut_utf8(name, 100));
        return false;
      }
      if (i > 0) out_ += ',';
      write_text(name);
      out_ += ':';
      if (!write(members[i]->value)) return false;
    }
    out_ += '}';
    return true;
  }

  void write_text(std::string_view text) {
    out_ += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') out_ += '\\';
      out_ += c;
    }
    out_ += '"';
  }

  std::string out_;
  std::string problem_;
};

}  // namespace

Result<std::string> canonical_json(const json::Value& value) {
  CanonicalWriter writer;
  if (!writer.write(value)) return tl::unexpected(writer.error());
  return writer.take();
}

}  // namespace par::core
