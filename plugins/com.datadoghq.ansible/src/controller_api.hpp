#pragma once

#include <string>
#include <string_view>

#include <par/connection.hpp>
#include <par/plugin.hpp>

namespace ansible_plugin {

/// The REST API of AWX or Automation Controller, with a connection's credentials.
class ControllerApi {
 public:
  /// Throws par::Error if the connection lacks a token.
  ControllerApi(const par::Connection& connection, par::Call& call);

  /// Path below the API's prefix, such as "/jobs/318/", or one that an answer gave, which begins with the
  /// prefix. Throws par::Error with the controller's own explanation if the status is not 2xx.
  par::json::Document get(std::string_view path) const;
  par::json::Document post(std::string_view path, const std::string& body) const;
  /// The last `limit` bytes of a text; `truncated` says whether there were more.
  std::string get_tail(std::string_view path, size_t limit, bool& truncated) const;

  const std::string& base_url() const { return base_url_; }

 private:
  par::HttpResponse send(std::string_view method, std::string_view path, std::string_view accept,
                         const std::string* body) const;

  par::Call& call_;
  std::string base_url_;
  std::string prefix_;
  std::string authorization_;
};

/// Whether an error may pass by itself: no answer, 429, 5xx.
bool may_pass(const par::Error& error);

}  // namespace ansible_plugin
