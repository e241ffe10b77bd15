#include "core/plugin/result_check.hpp"

#include <fmt/format.h>

#include "core/base/json.hpp"

namespace par::core {
namespace {

/// A RapidJSON stream over several pieces of text.
///
/// It plays an in-situ stream, for which the parser writes each decoded string back into the stream instead
/// of gathering it in a buffer. What is written here is looked at and forgotten, so megabytes of text cost no
/// memory; the parser is told that every string is empty. (Only the decoded bytes can show a lone surrogate:
/// \udc00 is ASCII.)
class PartsStream {
 public:
  using Ch = char;

  PartsStream(const par_str* parts, size_t count) : part_(parts), end_of_parts_(parts + count) {
    skip_empty();
  }

  Ch Peek() const { return at_ == end_ ? '\0' : *at_; }
  Ch Take() {
    if (at_ == end_) return '\0';
    const Ch taken = *at_++;
    ++taken_;
    if (at_ == end_) skip_empty();
    return taken;
  }
  size_t Tell() const { return taken_; }

  Ch* PutBegin() {
    last_ = 0;
    return &nothing_;
  }
  void Put(Ch c) {
    const auto byte = static_cast<unsigned char>(c);
    if (last_ == 0xED && byte >= 0xA0) lone_surrogate_ = true;
    last_ = byte;
  }
  void Flush() {}
  size_t PutEnd(Ch* /*begin*/) { return 1; }  // the length with its final NUL

  bool lone_surrogate() const { return lone_surrogate_; }

 private:
  void skip_empty() {
    at_ = end_ = nullptr;
    while (part_ != end_of_parts_ && at_ == end_) {
      at_ = part_->ptr;
      end_ = at_ + part_->len;
      ++part_;
    }
  }

  const par_str* part_;
  const par_str* end_of_parts_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  size_t taken_ = 0;
  unsigned char last_ = 0;
  bool lone_surrogate_ = false;
  char nothing_ = '\0';
};

/// Wants an object at the root and nothing else of the events.
class RootObject : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, RootObject> {
 public:
  bool Default() { return depth_ > 0; }
  bool Key(const char* /*text*/, rapidjson::SizeType /*length*/, bool /*copy*/) { return true; }
  bool StartObject() {
    ++depth_;
    return true;
  }
  bool EndObject(rapidjson::SizeType /*members*/) {
    --depth_;
    return true;
  }
  bool StartArray() {
    if (depth_ == 0) return false;
    ++depth_;
    return true;
  }
  bool EndArray(rapidjson::SizeType /*elements*/) {
    --depth_;
    return true;
  }

 private:
  size_t depth_ = 0;
};

}  // namespace

par_status check_result(const par_str* parts, size_t count, uint64_t max_bytes, std::string& problem) {
  if (parts == nullptr && count > 0) {
    problem = "null parts";
    return PAR_INVALID;
  }
  uint64_t total = 0;
  for (size_t i = 0; i < count; ++i) {
    if (parts[i].ptr == nullptr && parts[i].len > 0) {
      problem = "a part with a null pointer";
      return PAR_INVALID;
    }
    if (parts[i].len > max_bytes - total) {
      problem = fmt::format("larger than {} bytes", max_bytes);
      return PAR_LIMIT;
    }
    total += parts[i].len;
  }
  PartsStream stream(parts, count);
  RootObject root;
  std::string error;
  if (!json::parse_stream<rapidjson::kParseInsituFlag>(stream, root, error)) {
    problem = "not one JSON object in UTF-8: " + error;
  } else if (stream.lone_surrogate()) {
    problem = "lone surrogate in a string";
  } else if (stream.Tell() != total) {
    problem =
        fmt::format("NUL byte at byte {}", stream.Tell());  // which the parser takes for the end of the text
  } else {
    return PAR_OK;
  }
  return PAR_BAD_RESULT;
}

}  // namespace par::core
