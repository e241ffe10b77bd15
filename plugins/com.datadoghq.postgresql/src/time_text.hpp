#pragma once

#include <string>
#include <string_view>

namespace postgresql_plugin {

/// Turn PostgreSQL's ISO texts of dates and times into RFC 3339, appended to `out`. A zone offset of zero is
/// written as Z; one with seconds (local mean times before about 1900) is rounded towards zero to minutes and
/// the clock is set accordingly, so the instant stays. False, with `out` unchanged, for what RFC 3339 cannot
/// say: infinity and years outside 0 to 9999.

/// "2026-01-02": midnight, Z.
bool append_date(std::string& out, std::string_view text);
/// "2026-01-02 03:04:05.6", with an offset such as "+05:30" or without: Z.
bool append_timestamp(std::string& out, std::string_view text);
/// "03:04:05.6", with an offset or without: on the date 0000-01-01; 24:00:00 is midnight of the next day.
bool append_time(std::string& out, std::string_view text);

}  // namespace postgresql_plugin
