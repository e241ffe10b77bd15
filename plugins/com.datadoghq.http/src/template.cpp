#include "template.hpp"

#include <cstring>
#include <vector>

#include "text.hpp"

namespace http_plugin {
namespace {

// Ends an identifier: white space and the punctuation that has a meaning in templates.
bool ends_identifier(char c) {
  return static_cast<unsigned char>(c) <= ' ' || std::strchr("!\"#%&'()*+,./;<=>@[\\]^`{|}~", c) != nullptr;
}

std::string all_credentials(const par::Connection& connection) {
  std::string json = "[";
  for (const auto& [name, value] : connection.root_tokens()) {
    json += json.size() == 1 ? "{\"tokenName\":" : ",{\"tokenName\":";
    append_json_string(json, name);
    json += ",\"tokenValue\":";
    append_json_string(json, value);
    json += '}';
  }
  return json + "]";
}

// Reads one expression. The cursor stands behind the opening braces, and at the end behind the closing ones.
class Expression {
 public:
  Expression(std::string_view text, size_t& cursor) : text_(text), cursor_(cursor) {}

  std::vector<std::string_view> path() {
    std::vector<std::string_view> segments;
    skip_blanks();
    do {
      segments.push_back(segment());
    } while (take("."));
    skip_blanks();
    if (!take("}}")) refuse();
    return segments;
  }

 private:
  std::string_view segment() {
    if (take("[")) {
      const size_t end = text_.find(']', cursor_);
      if (end == std::string_view::npos) refuse();
      const std::string_view quoted = text_.substr(cursor_, end - cursor_);
      cursor_ = end + 1;
      return quoted;
    }
    const size_t start = cursor_;
    while (cursor_ < text_.size() && !ends_identifier(text_[cursor_])) ++cursor_;
    const std::string_view name = text_.substr(start, cursor_ - start);
    if (name.empty() || name == "else") refuse();  // the latter belongs to blocks
    return name;
  }
  void skip_blanks() {
    while (cursor_ < text_.size() && std::strchr(" \t\r\n", text_[cursor_]) != nullptr) ++cursor_;
  }
  bool take(std::string_view expected) {
    if (text_.substr(cursor_, expected.size()) != expected) return false;
    cursor_ += expected.size();
    return true;
  }
  // The text may hold secrets, so only the place is told.
  [[noreturn]] void refuse() const {
    throw par::Error("template: unsupported or unfinished expression at byte " + std::to_string(cursor_) +
                     "; only {{ name }} and {{ name.member }} are understood");
  }

  std::string_view text_;
  size_t& cursor_;
};

}  // namespace

std::string render(std::string_view text, const par::Connection& connection) {
  std::string result;
  size_t cursor = 0;
  for (;;) {
    const size_t open = text.find("{{", cursor);
    result.append(text.substr(cursor, open - cursor));
    if (open == std::string_view::npos) return result;
    if (open > 0 && text[open - 1] == '\\') {
      throw par::Error("template: an escaped expression at byte " + std::to_string(open) +
                       " is not supported");
    }
    cursor = open + 2;
    const std::vector<std::string_view> path = Expression(text, cursor).path();
    if (path.size() > 1) continue;  // Tokens are texts and have no members.
    if (path[0] == "Credentials" || path[0] == "$credentials") {
      result += all_credentials(connection);
    } else if (const std::string_view* const token = connection.token(path[0])) {
      result += *token;
    }
  }
}

}  // namespace http_plugin
