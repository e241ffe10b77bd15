#pragma once

#include <string>
#include <string_view>

namespace postgresql_plugin {

/// How the values of one result column become JSON.
enum class Mapping {
  number,
  floating,  ///< number; NaN and the infinities as text
  boolean,
  text,
  bytea,  ///< base64 of the bytes
  date,
  timestamp,  ///< with or without a zone
  time,       ///< with or without a zone
  json,       ///< spliced in
  base64      ///< of the server's text
};

/// One column of a result.
struct Column {
  std::string name;
  Mapping mapping;
  bool strict;  ///< as the stock runner maps: what has no JSON form there is an error
};

/// The mapping of the server's type with this OID. With `strict` the types that the stock runner does not
/// know become base64 of their text.
Mapping mapping_of(unsigned type_oid, bool strict);

/// Appends the JSON value of the server's text (styles ISO and hex) to `out`. What is no UTF-8 in spite of
/// the session's encoding becomes U+FFFD; JSON that no result can carry (too deep, a number without end)
/// comes as a string. Throws par::Error for what a strict column cannot express.
void append_value(std::string& out, const Column& column, std::string_view text);

}  // namespace postgresql_plugin
