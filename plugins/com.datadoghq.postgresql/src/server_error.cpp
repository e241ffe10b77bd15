#include "server_error.hpp"

#include "plugins/common/encoding.hpp"

namespace postgresql_plugin {
namespace {

void remove_through(std::string_view& text, std::string_view begin, std::string_view end) {
  if (text.substr(0, begin.size()) != begin) return;
  const size_t found = text.find(end);
  if (found != std::string_view::npos) text.remove_prefix(found + end.size());
}

std::string_view field(const PGresult* result, int code) {
  const char* const text = PQresultErrorField(result, code);
  return text == nullptr ? std::string_view() : std::string_view(text);
}

}  // namespace

std::string error_text(const PGresult* result) {
  const std::string_view primary = field(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string_view state = field(result, PG_DIAG_SQLSTATE);
  if (primary.empty() || state.empty()) return message_text(PQresultErrorMessage(result));
  std::string text;
  text.append(primary).append(" (SQLSTATE ").append(state).append(")");
  const std::string_view detail = field(result, PG_DIAG_MESSAGE_DETAIL);
  const std::string_view hint = field(result, PG_DIAG_MESSAGE_HINT);
  if (!detail.empty()) text.append("; detail: ").append(detail);
  if (!hint.empty()) text.append("; hint: ").append(hint);
  return plugin_common::to_valid_utf8(std::move(text));
}

std::string message_text(std::string_view libpq_message) {
  remove_through(libpq_message, "connection to server at ", " failed: ");
  remove_through(libpq_message, "FATAL:", "FATAL:  ");
  remove_through(libpq_message, "ERROR:", "ERROR:  ");
  libpq_message = libpq_message.substr(0, libpq_message.find('\n'));
  if (libpq_message.empty()) return "no reason given";
  return plugin_common::to_valid_utf8(std::string(libpq_message));
}

bool is_refused_by_server(std::string_view libpq_message) {
  return libpq_message.find("FATAL:") != std::string_view::npos;
}

std::string_view connection_advice(std::string_view message) {
  const auto says = [message](std::string_view text) { return message.find(text) != std::string_view::npos; };
  if (says("password authentication failed")) {
    return "; check the tokens user and password, and whether the role's password has expired";
  }
  if (says("no encryption") || says("SSL off"))
    return "; the server wants TLS: set the token sslmode to require";
  if (says("does not support SSL")) return "; set the token sslmode to disable if the network may be trusted";
  if (says("certificate verify failed")) {
    return "; the server's certificate is not issued by a CA of the token sslrootcert or, without that "
           "token, of the "
           "runner's trusted roots";
  }
  if (says("does not match host name")) {
    return "; set the token host to a name of the certificate, or sslmode to verify-ca";
  }
  if (says("Connection refused")) return "; is the server running and listening on that address?";
  return {};
}

}  // namespace postgresql_plugin
