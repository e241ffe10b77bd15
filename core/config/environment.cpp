#include "core/config/environment.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "core/base/files.hpp"
#include "core/base/strings.hpp"

namespace par::core {
namespace {

constexpr size_t k_max_secret_bytes = 64 << 10;

}  // namespace

Environment process_environment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const size_t equals = text.find('=');
    if (equals != std::string_view::npos)
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

std::string_view variable(const Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string_view() : std::string_view(found->second);
}

Setting setting_of_variable(std::string_view name, std::string_view text) {
  Setting setting;
  setting.kind = Setting::Kind::scalar;
  setting.text = text;
  setting.from_variable = true;
  setting.where = name;
  return setting;
}

Result<std::optional<Setting>> read_variable(const Environment& environment, std::string_view name,
                                             bool secret) {
  if (const std::string_view text = variable(environment, name); !text.empty())
    return setting_of_variable(name, text);
  if (!secret) return std::optional<Setting>();
  const std::string file_variable = std::string(name) + "_FILE";
  const std::string_view path = variable(environment, file_variable);
  if (path.empty()) return std::optional<Setting>();
  auto content = read_file(path, k_max_secret_bytes);
  if (!content) return fail_in(file_variable, content);
  if (trim(*content).empty()) return fail(fmt::format("{}: the file {} is empty", file_variable, path));
  Setting setting = setting_of_variable(file_variable, *content);
  wipe(content->data(), content->size());
  return setting;
}

}  // namespace par::core
