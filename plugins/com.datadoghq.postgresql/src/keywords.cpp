#include "keywords.hpp"

namespace postgresql_plugin {
namespace {

// No file can have this path.
constexpr const char* k_no_file = "/dev/null/none";

}  // namespace

Keywords::Keywords(const Login& login, const std::string& address, const std::string& root_certificate)
    : port_(std::to_string(login.port)) {
  add("host", login.host.c_str());  // the name in the certificate; hostaddr is what is dialled
  add("hostaddr", address.c_str());
  add("port", port_.c_str());
  add("dbname", login.database.c_str());
  add("user", login.user.c_str());
  add("password", login.password.c_str());
  add("application_name", login.application_name.c_str());
  add("client_encoding", "UTF8");

  add("sslmode", login.sslmode.c_str());
  add("sslrootcert", root_certificate.empty() ? k_no_file : root_certificate.c_str());
  add("ssl_min_protocol_version", "TLSv1.2");
  add("sslcert", k_no_file);
  add("sslkey", k_no_file);
  add("sslcrl", k_no_file);
  add("sslcrldir", k_no_file);
  add("sslcompression", "0");
  add("sslsni", "1");

  add("passfile", k_no_file);
  add("gssencmode", "disable");
  add("channel_binding", "prefer");
  add("target_session_attrs", "any");

  // A server that has gone without a word is noticed after two minutes.
  add("keepalives", "1");
  add("keepalives_idle", "60");
  add("keepalives_interval", "15");
  add("keepalives_count", "4");
  add(nullptr, nullptr);
}

void Keywords::add(const char* name, const char* value) {
  names_.push_back(name);
  values_.push_back(value);
}

}  // namespace postgresql_plugin
