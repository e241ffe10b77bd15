#include "core/plugin/pattern.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include <regex.h>

namespace par::core {
namespace {

constexpr size_t k_max_source = 1024;
constexpr size_t k_max_unrolled = 10'000;
constexpr std::string_view k_escapable = ".[]{}()*+?^$|/\\-";

/// Walks over a pattern once and refuses what the two dialects read differently.
class Scanner {
 public:
  explicit Scanner(std::string_view source) : source_(source) {}

  /// Empty, or what is wrong.
  std::string scan() {
    if (source_.size() > k_max_source) return "longer than 1024 bytes";
    while (at_ < source_.size() && problem_.empty()) step();
    if (!problem_.empty()) return problem_;
    if (groups_.size() != 1) return "a group is not closed";
    end_atom();
    return groups_.back() > k_max_unrolled ? "its repetitions are too large" : "";
  }

 private:
  void step() {
    const char c = source_[at_++];
    if (c < 0x20 || c > 0x7e) {
      problem_ = "only printable ASCII characters are supported";
      return;
    }
    switch (c) {
      case '\\':
        if (at_ == source_.size() || k_escapable.find(source_[at_]) == std::string_view::npos) {
          problem_ = "a backslash may stand only before a punctuation mark (write [0-9] for \\d)";
          return;
        }
        ++at_;
        return begin_atom();
      case '[':
        return bracket();
      case '(':
        if (at_ < source_.size() && source_[at_] == '?') problem_ = "(?...) is not supported";
        end_atom();
        groups_.push_back(0);
        return;
      case ')':
        if (groups_.size() == 1) {
          problem_ = "unmatched )";
          return;
        }
        end_atom();
        atom_ = std::max<size_t>(1, groups_.back());
        groups_.pop_back();
        return;
      case '*':
      case '+':
      case '?':
        return quantify(1);
      case '{':
        return braces();
      case '}':
        problem_ = "unmatched }";
        return;
      case '|':
      case '^':
      case '$':
        return end_atom();
      default:
        return begin_atom();
    }
  }

  void bracket() {
    if (at_ < source_.size() && source_[at_] == '^') ++at_;
    const size_t begin = at_;
    while (at_ < source_.size() && source_[at_] != ']') {
      if (source_[at_] == '\\' || source_[at_] == '[' || source_[at_] < 0x20 || source_[at_] > 0x7e) {
        problem_ = "only plain characters and ranges are supported in brackets";
        return;
      }
      ++at_;
    }
    if (at_ == source_.size() || at_ == begin) {
      problem_ = "empty or open brackets";
      return;
    }
    ++at_;
    begin_atom();
  }

  void braces() {
    const size_t close = source_.find('}', at_);
    const std::string_view inside = close == std::string_view::npos ? "" : source_.substr(at_, close - at_);
    unsigned least = 0;
    unsigned most = 0;
    const char* const end = inside.data() + inside.size();
    auto [rest, error] = std::from_chars(inside.data(), end, least);
    bool valid = error == std::errc{} && least <= 1000;
    if (valid && rest != end) {
      valid = *rest++ == ',';
      if (valid && rest != end) {
        const auto second = std::from_chars(rest, end, most);
        valid = second.ec == std::errc{} && second.ptr == end && most >= least && most <= 1000;
      }
    }
    if (!valid) {
      problem_ = "expected {n}, {n,} or {n,m} with numbers up to 1000";
      return;
    }
    at_ = close + 1;
    quantify(std::max<size_t>({1, least, most}));
  }

  void quantify(size_t times) {
    if (atom_ == 0)
      problem_ = "a quantifier must follow a character or group, and lazy ones are not supported";
    atom_ *= times;
    if (atom_ > k_max_unrolled) problem_ = "its repetitions are too large";
    end_atom();
  }

  void begin_atom() {
    end_atom();
    atom_ = 1;
  }
  void end_atom() {
    groups_.back() += atom_;
    atom_ = 0;
  }

  std::string_view source_;
  size_t at_ = 0;
  size_t atom_ = 0;  ///< unrolled length of the atom that a quantifier would repeat; 0: there is none
  std::vector<size_t> groups_{0};  ///< unrolled length of each open group
  std::string problem_;
};

}  // namespace

struct Pattern::Compiled {
  regex_t regex{};
  bool ready = false;
  Compiled() = default;
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  ~Compiled() {
    if (ready) regfree(&regex);
  }
};

Result<Pattern> Pattern::compile(std::string_view source) {
  if (std::string problem = Scanner(source).scan(); !problem.empty()) return fail(std::move(problem));
  const auto compiled = std::make_shared<Compiled>();
  const int status = regcomp(&compiled->regex, std::string(source).c_str(), REG_EXTENDED | REG_NOSUB);
  if (status != 0) {
    char text[128];
    regerror(status, &compiled->regex, text, sizeof text);
    return fail(text);
  }
  compiled->ready = true;
  Pattern pattern;
  pattern.compiled_ = compiled;
  return pattern;
}

bool Pattern::matches(std::string_view text) const {
  regmatch_t range{};
  range.rm_eo = static_cast<regoff_t>(text.size());
  // REG_STARTEND: the text has a length instead of a final NUL.
  return regexec(&compiled_->regex, text.data() == nullptr ? "" : text.data(), 1, &range, REG_STARTEND) == 0;
}

}  // namespace par::core
