#include "core/policy/host_allowlist.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/strings.hpp"

namespace par::core {
namespace {

// A host name has at most 253 characters; the bounds leave room for alternatives but not for abuse.
constexpr size_t k_max_pattern_bytes = 1024;
constexpr size_t k_max_alternatives = 256;

// The index behind the class that starts at pattern[open]. parse() has made sure that there is a closing
// bracket.
size_t class_end(std::string_view pattern, size_t open) {
  return pattern.find(']', open) + 1;
}

Result<void> check_class(std::string_view content) {
  if (content.starts_with('!')) content.remove_prefix(1);
  if (content.empty()) return fail("an empty [] matches nothing");
  for (size_t at = 0; at + 2 < content.size(); ++at) {
    if (content[at + 1] != '-') continue;
    if (content[at] > content[at + 2]) {
      return fail(fmt::format("the range {} runs backwards", content.substr(at, 3)));
    }
    at += 2;
  }
  return {};
}

bool looks_like_port(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Everything that can be wrong with a pattern, but for the number of its alternatives.
Result<void> check(std::string_view pattern) {
  if (pattern.empty()) return fail("the pattern is empty");
  if (pattern.size() > k_max_pattern_bytes)
    return fail(fmt::format("longer than {} bytes", k_max_pattern_bytes));
  size_t open_braces = 0;
  for (size_t at = 0; at < pattern.size(); ++at) {
    const char c = pattern[at];
    if (c == '[') {
      const size_t end = pattern.find(']', at);
      if (end == std::string_view::npos) return fail("a [ is never closed");
      if (auto checked = check_class(pattern.substr(at + 1, end - at - 1)); !checked) return checked;
      at = end;
    } else if (c == '{') {
      ++open_braces;
    } else if (c == '}') {
      if (open_braces == 0) return fail("a } has no {");
      --open_braces;
    } else if (c == '/') {
      return fail("expected a host name only, without scheme and path");
    } else if (c == '\\' || static_cast<unsigned char>(c) <= ' ') {
      return fail("a backslash or blank is in no host name");
    }
  }
  if (open_braces > 0) return fail("a { is never closed");
  if (std::count(pattern.begin(), pattern.end(), ':') == 1 &&
      looks_like_port(pattern.substr(pattern.find(':') + 1))) {
    return fail("expected a host name only, without a port");
  }
  return {};
}

// Writes out the braces of a checked pattern, outermost first.
Result<void> expand(const std::string& pattern, std::vector<std::string>& out) {
  size_t open = std::string::npos;
  size_t depth = 0;
  std::vector<size_t> marks;  // the outermost brace, its commas and its end
  for (size_t at = 0; at < pattern.size(); ++at) {
    const char c = pattern[at];
    if (c == '[') {
      at = class_end(pattern, at) - 1;
    } else if (c == '{' && depth++ == 0) {
      open = at;
      marks.push_back(at);
    } else if (c == ',' && depth == 1) {
      marks.push_back(at);
    } else if (c == '}' && --depth == 0) {
      marks.push_back(at);
      break;
    }
  }
  if (open == std::string::npos) {
    if (out.size() == k_max_alternatives) {
      return fail(fmt::format("its braces stand for more than {} patterns", k_max_alternatives));
    }
    out.push_back(pattern);
    return {};
  }
  for (size_t i = 0; i + 1 < marks.size(); ++i) {
    const std::string one = pattern.substr(0, open) +
                            pattern.substr(marks[i] + 1, marks[i + 1] - marks[i] - 1) +
                            pattern.substr(marks.back() + 1);
    if (auto expanded = expand(one, out); !expanded) return expanded;
  }
  return {};
}

bool class_matches(std::string_view content, char c) {
  const bool negated = content.starts_with('!');
  if (negated) content.remove_prefix(1);
  bool found = false;
  for (size_t at = 0; at < content.size(); ++at) {
    if (at + 2 < content.size() && content[at + 1] == '-') {
      found = found || (content[at] <= c && c <= content[at + 2]);
      at += 2;
    } else {
      found = found || content[at] == c;
    }
  }
  return found != negated;
}

// Only the last star ever needs to give way, so no input makes this exponential.
bool matches(std::string_view pattern, std::string_view host) {
  size_t p = 0;
  size_t h = 0;
  size_t star = std::string_view::npos;
  size_t star_host = 0;
  while (h < host.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_host = h;
      continue;
    }
    if (p < pattern.size()) {
      const size_t next = pattern[p] == '[' ? class_end(pattern, p) : p + 1;
      const bool fits = pattern[p] == '[' ? class_matches(pattern.substr(p + 1, next - p - 2), host[h])
                                          : pattern[p] == '?' || pattern[p] == host[h];
      if (fits) {
        p = next;
        ++h;
        continue;
      }
    }
    if (star == std::string_view::npos) return false;
    p = star + 1;
    h = ++star_host;
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace

Result<HostAllowlist> HostAllowlist::parse(const std::vector<std::string>& patterns) {
  HostAllowlist list;
  for (const std::string& given : patterns) {
    const std::string pattern = to_lower(trim(given));
    Result<void> read = check(pattern);
    std::vector<std::string> expanded;
    if (read) read = expand(pattern, expanded);
    if (!read) return fail_in(fmt::format("host pattern \"{}\"", cut_utf8(given, 100)), read);
    list.patterns_.insert(list.patterns_.end(), expanded.begin(), expanded.end());
  }
  return list;
}

bool HostAllowlist::allows(std::string_view host) const {
  const std::string name = to_lower(host);
  return !name.empty() && std::any_of(patterns_.begin(), patterns_.end(),
                                      [&](const std::string& pattern) { return matches(pattern, name); });
}

}  // namespace par::core
