#include <string>
#include <string_view>

#include "actions.hpp"

namespace postgresql_plugin {

void test_connection(const Login& login, par::Call& call) {
  rapidjson::StringBuffer buffer;
  par::json::Writer writer(buffer);
  const auto add = [&writer](std::string_view name, std::string_view value) {
    writer.Key(name);
    writer.String(value);
  };
  writer.StartObject();
  add("host", login.host);
  add("port", std::to_string(login.port));
  add("user", login.user);
  add("password", "********");
  add("database", login.database);
  add("sslmode", login.sslmode);
  add("applicationName", login.application_name);
  if (!login.search_path.empty()) add("searchPath", login.search_path);
  if (!login.root_certificate.empty()) add("sslrootcert", login.root_certificate);
  writer.EndObject();
  call.result({buffer.GetString(), buffer.GetSize()});
}

}  // namespace postgresql_plugin
