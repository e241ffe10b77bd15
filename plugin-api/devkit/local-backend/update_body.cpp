#include "plugin-api/devkit/local-backend/update_body.hpp"

#include <array>

#include "core/base/json.hpp"

namespace par::backend {
namespace {

// Depth 1 is the body's object, 2 data, 3 attributes.
class Reader : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Reader> {
 public:
  Reader(std::string_view text, const rapidjson::MemoryStream& stream, UpdateBody& out)
      : text_(text), stream_(stream), out_(out) {}

  bool Key(const char* text, rapidjson::SizeType length, bool) {
    if (depth_ <= k_levels) path_[depth_ - 1].assign(text, length);
    if (at_attribute("payload")) payload_begin_ = text_.find_first_not_of(": \t\r\n", stream_.Tell());
    return true;
  }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    const std::string_view value(text, length);
    if (depth_ == 2 && path_[0] == "data") {
      if (path_[1] == "type") out_.type = value;
      if (path_[1] == "id") out_.id = value;
    }
    if (at_attribute("task_id")) out_.task_id = value;
    if (at_attribute("job_id")) out_.job_id = value;
    if (at_attribute("action_fqn")) out_.action_fqn = value;
    return true;
  }
  bool StartObject() {
    ++depth_;
    return true;
  }
  bool EndObject(rapidjson::SizeType) {
    --depth_;
    if (at_attribute("payload")) {
      // The parser reports the end before it takes the brace.
      out_.payload = text_.substr(payload_begin_, stream_.Tell() + 1 - payload_begin_);
    }
    return true;
  }
  bool StartArray() { return StartObject(); }
  bool EndArray(rapidjson::SizeType) {
    --depth_;
    return true;
  }

 private:
  static constexpr size_t k_levels = 3;
  bool at_attribute(std::string_view name) const {
    return depth_ == 3 && path_[0] == "data" && path_[1] == "attributes" && path_[2] == name;
  }

  std::string_view text_;
  const rapidjson::MemoryStream& stream_;
  UpdateBody& out_;
  size_t depth_ = 0;
  size_t payload_begin_ = 0;
  std::array<std::string, k_levels> path_;
};

}  // namespace

core::Result<UpdateBody> read_update(std::string_view body) {
  UpdateBody out;
  rapidjson::MemoryStream stream(body.data(), body.size());
  Reader reader(body, stream, out);
  std::string error;
  if (!json::parse_stream(stream, reader, error)) return core::fail("the body is not JSON: " + error);
  return out;
}

}  // namespace par::backend
