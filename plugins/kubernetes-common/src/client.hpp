#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <par/connection.hpp>
#include <par/plugin.hpp>

#include "connections.hpp"

namespace kubernetes {

/// One request to the API server.
struct ApiRequest {
  std::string_view method;
  std::string target;  ///< path and query, from the first '/'
  std::string_view body = {};
  std::string_view content_type = "application/json";
  std::string_view accept = "application/json";
};

/// The API server of one task's connection.
class Client {
 public:
  /// All three must outlive it. Throws par::Error if the connection leads to no cluster.
  Client(Connections& connections, const par::Connection& connection, const par::Call& call);

  /// Sends and waits for the final headers. What the server answers with 429 or 5xx and Retry-After is sent
  /// again up to ten times inside the call's limit, unless a pause exceeds 60 s or all of them 5 min.
  /// Credentials of an exec plugin that are refused are renewed once. Any status comes back. Throws
  /// par::Error that names the server if there is no answer.
  par::HttpResponse send(const ApiRequest& request);

  /// The whole body, at most `limit` bytes. Throws PAR_LIMIT beyond that, or a text that names the server.
  std::string read(par::HttpResponse& response, uint64_t limit) const;

  /// Reads a body to its end for nobody, so that the connection can be used again; one of more than 1 MiB is
  /// cut off with its connection. A failure does not matter: the status has said what was done.
  void discard(par::HttpResponse response) const;

  const Cluster& cluster() const { return cluster_; }
  const par::Call& call() const { return call_; }

 private:
  par::HttpResponse send_once(const ApiRequest& request) const;
  [[noreturn]] void fail(const par::Error& error) const;

  Connections& connections_;
  const par::Connection& connection_;
  const par::Call& call_;
  Cluster cluster_;
};

}  // namespace kubernetes
