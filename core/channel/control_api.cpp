#include "core/channel/control_api.hpp"

#include <fmt/format.h>

#include "core/base/strings.hpp"

namespace par::core {
namespace {

constexpr size_t k_quoted_body = 512;

}  // namespace

std::string describe(const Result<ControlAnswer>& answer) {
  if (!answer) return answer.error().message;
  if (answer->body.empty()) return fmt::format("status {}", answer->status);
  return fmt::format("status {}: {}", answer->status, cut_utf8(answer->body, k_quoted_body));
}

}  // namespace par::core
