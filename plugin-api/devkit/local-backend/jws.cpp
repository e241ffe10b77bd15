#include "plugin-api/devkit/local-backend/jws.hpp"

#include <optional>

#include <fmt/format.h>

#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/base/strings.hpp"

namespace par::backend {
namespace {

// JOSE allows only the URL alphabet without padding, which the general decoder does not insist on.
std::optional<std::string> decode_part(std::string_view part) {
  if (part.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
  return core::base64_decode(part);
}

}  // namespace

core::Result<Jws> Jws::parse(std::string_view text) {
  const std::vector<std::string_view> parts = core::split(text, '.');
  if (parts.size() != 3) return core::fail(fmt::format("it has {} parts instead of 3", parts.size()));
  auto header = decode_part(parts[0]);
  auto payload = decode_part(parts[1]);
  auto signature = decode_part(parts[2]);
  if (!header || !payload || !signature) return core::fail("a part is not base64url without padding");
  const auto document = core::parse_json(*header);
  if (!document || !document->IsObject()) return core::fail("the header is not a JSON object");
  if (json::find(*document, "crit") != nullptr) return core::fail("the header has crit");
  return Jws{std::move(*header), std::move(*payload), std::move(*signature),
             text.substr(0, parts[0].size() + 1 + parts[1].size())};
}

}  // namespace par::backend
