#pragma once

#include <string>

#include <par/sdk/http.hpp>

#include "plugins/common/encoding.hpp"

namespace plugin_common {

/// The beginning of an answer's body for an error text: at most `limit` bytes, valid UTF-8, cut between
/// characters. A body that is longer, or that breaks off, gives what there is; an error with the status is
/// worth more than one with its body.
inline std::string error_body(par::HttpResponse& response, size_t limit) {
  std::string body(limit, '\0');
  size_t used = 0;
  try {
    while (used < limit) {
      const size_t got = response.read(body.data() + used, limit - used);
      if (got == 0) break;
      used += got;
    }
  } catch (const par::Error& error) {
    if (error.status() == PAR_CANCELLED || error.status() == PAR_DEADLINE) throw;
  }
  body.resize(used == limit ? utf8_prefix({body.data(), used}, used) : used);
  return to_valid_utf8(std::move(body));
}

}  // namespace plugin_common
