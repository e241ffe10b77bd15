#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace par::backend {

/// The body of a publish or heartbeat: {"data": {"type", "id", "attributes": {...}}}.
struct UpdateBody {
  std::string type;
  std::string id;
  std::string task_id;
  std::string job_id;
  std::string action_fqn;
  std::string_view payload;  ///< the text of attributes.payload exactly as sent; a view into the body
};

/// Reads it in one pass without building a tree, since outputs may be megabytes. Error: not JSON.
core::Result<UpdateBody> read_update(std::string_view body);

}  // namespace par::backend
