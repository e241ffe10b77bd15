#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "core/base/json.hpp"
#include "core/base/result.hpp"

namespace par::backend {

/// Talks to the control side of a running backend.
class ControlClient {
 public:
  /// Finds the backend of `directory` through its endpoint.json. Error: none runs there.
  static core::Result<ControlClient> find(const std::filesystem::path& directory);

  /// Sends a request and returns the JSON of its answer. Errors: no connection, or the text of the answer's
  /// `error`.
  core::Result<json::Document> call(const std::string& method, const std::string& target,
                                    const std::string& body = "");
  int pid() const { return pid_; }

 private:
  std::string url_;
  std::string token_;
  int pid_ = 0;
};

}  // namespace par::backend
