#include "build_status.hpp"

#include <cmath>
#include <cstdint>

#include <par/json.hpp>
#include <par/sdk/error.hpp>

namespace jenkins_plugin {
namespace {

constexpr double k_exact_integers = 9007199254740992.0;  // 2^53

class Status {
 public:
  explicit Status(const par::json::Value& build) : build_(build) { writer_.StartObject(); }

  void text(std::string_view name) {
    const auto* const value = par::json::find(build_, name);
    if (value == nullptr || !value->IsString() || value->GetStringLength() == 0) return;
    writer_.Key(name);
    writer_.String(par::json::text(*value));
  }
  void integer(std::string_view name) {
    const auto* const value = par::json::find(build_, name);
    int64_t number = 0;
    if (value != nullptr && value->IsInt64()) {
      number = value->GetInt64();
    } else if (value != nullptr && value->IsDouble() &&
               std::trunc(value->GetDouble()) == value->GetDouble() &&
               std::fabs(value->GetDouble()) <= k_exact_integers) {
      number = static_cast<int64_t>(value->GetDouble());
    }
    if (number == 0) return;
    writer_.Key(name);
    writer_.Int64(number);
  }
  void boolean(std::string_view name, std::string_view as) {
    const auto* const value = par::json::find(build_, name);
    if (value == nullptr || !value->IsTrue()) return;
    writer_.Key(as);
    writer_.Bool(true);
  }
  std::string end() {
    writer_.EndObject();
    return {buffer_.GetString(), buffer_.GetSize()};
  }

 private:
  const par::json::Value& build_;
  rapidjson::StringBuffer buffer_;
  par::json::Writer writer_{buffer_};
};

}  // namespace

std::string build_status(std::string_view answer) {
  par::json::Document build;
  std::string error;
  if (!par::json::parse(answer, build, error) || !build.IsObject()) {
    throw par::Error("Jenkins described the build with something that is not a JSON object" +
                     (error.empty() ? error : ": " + error) +
                     "; is the token \"domain\" of the connection the URL of the controller itself?");
  }
  Status status(build);
  status.text("displayName");
  status.integer("duration");
  status.integer("estimatedDuration");
  status.text("id");
  status.boolean("building", "inProgress");
  status.text("result");
  status.text("url");
  return status.end();
}

}  // namespace jenkins_plugin
