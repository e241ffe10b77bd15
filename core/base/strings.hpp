#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace par::core {

/// Without ASCII blanks (space, tab, CR, LF) at both ends.
std::string_view trim(std::string_view text);
/// ASCII letters in lower case, everything else as it is.
std::string to_lower(std::string_view text);
/// Equal but for the case of ASCII letters.
bool equals_ignoring_case(std::string_view a, std::string_view b);
/// The pieces between `separator`s; n separators give n + 1 pieces.
std::vector<std::string_view> split(std::string_view text, char separator);
/// At most `bytes` bytes of `text`, cut before a UTF-8 sequence that would be torn.
std::string_view cut_utf8(std::string_view text, size_t bytes);

/// The candidate with the smallest edit distance to `word`, if that is small enough to be a likely typing
/// error (at most a third of the word's length, and less than 8); else empty. The view points into
/// `candidates`.
std::string_view nearest(std::string_view word, const std::vector<std::string>& candidates);
/// ` (did you mean "C"?)` with the nearest candidate C, for an error that has just named `word`; empty if no
/// candidate is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace par::core
