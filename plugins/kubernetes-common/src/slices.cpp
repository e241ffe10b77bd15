#include "slices.hpp"

#include <algorithm>
#include <cstring>

namespace kubernetes {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool done() const { return at_ == end_; }
  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }
  /// Takes `c` if it comes next.
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  /// Takes a string and gives what stands between its quotes.
  bool string(std::string_view& inside) {
    if (!take('"')) return false;
    const char* const begin = at_;
    for (;;) {
      at_ = static_cast<const char*>(std::memchr(at_, '"', static_cast<size_t>(end_ - at_)));
      if (at_ == nullptr) {
        at_ = end_;
        return false;
      }
      const char* before = at_;
      while (before != begin && before[-1] == '\\') --before;
      const bool escaped = (at_ - before) % 2 != 0;
      ++at_;
      if (escaped) continue;
      inside = {begin, static_cast<size_t>(at_ - 1 - begin)};
      return true;
    }
  }
  bool value(std::string_view& text) {
    const char* const begin = at_;
    if (!skip_value() || at_ == begin) return false;
    text = {begin, static_cast<size_t>(at_ - begin)};
    return true;
  }

 private:
  static bool ends_scalar(char c) {
    return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\t' || c == '\r';
  }

  bool skip_value() {
    std::string_view ignored;
    if (at_ == end_) return false;
    if (*at_ == '"') return string(ignored);
    if (*at_ != '{' && *at_ != '[') {
      at_ = std::find_if(at_, end_, ends_scalar);
      return true;
    }
    for (size_t depth = 0; at_ != end_;) {
      const char c = *at_;
      if (c == '"') {
        if (!string(ignored)) return false;
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return true;
    }
    return false;
  }

  const char* at_;
  const char* end_;
};

}  // namespace

std::optional<std::vector<Slice>> slices_of(std::string_view text) {
  Scanner scanner(text);
  std::vector<Slice> slices;
  scanner.skip_space();
  if (!scanner.take('{')) return std::nullopt;
  scanner.skip_space();
  if (!scanner.take('}')) {
    do {
      Slice slice;
      scanner.skip_space();
      if (!scanner.string(slice.name)) return std::nullopt;
      scanner.skip_space();
      if (!scanner.take(':')) return std::nullopt;
      scanner.skip_space();
      if (!scanner.value(slice.value)) return std::nullopt;
      slices.push_back(slice);
      scanner.skip_space();
    } while (scanner.take(','));
    if (!scanner.take('}')) return std::nullopt;
  }
  scanner.skip_space();
  if (!scanner.done()) return std::nullopt;
  return slices;
}

std::string_view find_slice(const std::vector<Slice>& slices, std::string_view name) {
  const auto found =
      std::find_if(slices.begin(), slices.end(), [&](const Slice& slice) { return slice.name == name; });
  return found == slices.end() ? std::string_view() : found->value;
}

}  // namespace kubernetes
