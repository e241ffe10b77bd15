#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <par/plugin.hpp>

#include "endpoint.hpp"

namespace google::protobuf {
class MessageLite;
}

namespace temporal_plugin {

/// gRPC's threads and its log, for the life of the plugin. One at a time.
class GrpcRuntime {
 public:
  /// gRPC's own complaints go to the host's log at level debug: the error of a call says the same.
  explicit GrpcRuntime(par::Host host);
  GrpcRuntime(const GrpcRuntime&) = delete;
  GrpcRuntime& operator=(const GrpcRuntime&) = delete;
  ~GrpcRuntime();
};

/// A call that the server, or the way to it, answered with a failure.
class RpcError : public par::Error {
 public:
  RpcError(int code, std::string text, std::string details)
      : Error(std::move(text)), code_(code), details_(std::move(details)) {}

  /// A code of gRPC.
  int code() const { return code_; }
  /// True if the server may have done what it was asked to do all the same.
  bool leaves_unknown() const;
  /// google.rpc.Status as bytes, or empty.
  const std::string& details() const { return details_; }

 private:
  int code_;
  std::string details_;
};
inline constexpr int k_deadline_exceeded = 4;
inline constexpr int k_already_exists = 6;

/// A connection to one Temporal server for one action. Each call obeys limit and cancel of the action's call;
/// one thread.
class Rpc {
 public:
  /// Longest time that one attempt may take: that of an ordinary call, and that of one for which the server
  /// waits.
  enum class Kind { ordinary, long_poll };

  /// Resolves the host by the runner's policy, connects, and asks what the server can. Throws if any of it
  /// fails. The references must outlive this object.
  Rpc(const Endpoint& endpoint, const std::string& temporal_namespace, const par::Call& call);
  Rpc(const Rpc&) = delete;
  Rpc& operator=(const Rpc&) = delete;
  ~Rpc();

  /// Calls `method` of the workflow service, again and again while the failure is one that may pass. Throws
  /// RpcError, or PAR_CANCELLED as soon as the action is cancelled.
  void call(const char* method, const google::protobuf::MessageLite& request,
            google::protobuf::MessageLite& response, Kind kind = Kind::ordinary);

 private:
  class Transport;
  struct Attempt;

  void connect();
  Attempt attempt(const char* method, const std::string& request, std::chrono::milliseconds limit,
                  bool with_namespace);
  [[noreturn]] void fail(const char* method, const Attempt& attempt, int attempts) const;
  bool may_pass(const Attempt& attempt) const;

  const Endpoint& endpoint_;
  const std::string& namespace_;
  const par::Call& call_;
  std::unique_ptr<Transport> transport_;
  bool retry_internal_ = true;
};

}  // namespace temporal_plugin
