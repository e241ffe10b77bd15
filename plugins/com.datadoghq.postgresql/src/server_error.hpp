#pragma once

#include <string>
#include <string_view>

#include <libpq-fe.h>

namespace postgresql_plugin {

/// What a failed result says: the server's primary message with its SQLSTATE, then detail and hint if it gave
/// any; or libpq's own message if the server said nothing. Always valid UTF-8.
std::string error_text(const PGresult* result);

/// The first line of a message of libpq, without its prefixes ("connection to server at ... failed: ",
/// "FATAL:  "), in valid UTF-8.
std::string message_text(std::string_view libpq_message);

/// Whether the server itself ended a connection attempt, so that another address would say the same.
bool is_refused_by_server(std::string_view libpq_message);

/// What to change after a failed connection attempt, beginning with "; ", or nothing.
std::string_view connection_advice(std::string_view message);

}  // namespace postgresql_plugin
