#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace temporal_plugin::test {

/// A gRPC server without TLS that answers as the test says: for what a real Temporal server cannot be made to
/// do.
class FakeServer {
 public:
  struct Call {
    std::string method;  ///< the last part of the path
    std::string path;
    std::string authority;
    std::map<std::string, std::string> metadata;
    double seconds_left;  ///< to the caller's deadline
    std::string request;
  };
  struct Answer {
    int code = 0;
    std::string text{};
    std::string response{};
    std::string details{};
  };

  /// `answer` runs on threads of gRPC.
  explicit FakeServer(std::function<Answer(const Call&)> answer);
  ~FakeServer();

  uint16_t port() const;
  /// All calls so far, in order.
  std::vector<Call> calls() const;

 private:
  class Service;
  std::unique_ptr<Service> service_;
};

}  // namespace temporal_plugin::test
