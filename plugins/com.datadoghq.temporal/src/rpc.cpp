#include "rpc.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <vector>

#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/slice.h>

#include "temporal.pb.h"

namespace temporal_plugin {
namespace {

using Milliseconds = std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr Milliseconds k_connect_limit = 5s;
constexpr Milliseconds k_call_limit = 10s;
constexpr Milliseconds k_shortest_call_limit = 1s;
constexpr Milliseconds k_long_poll_limit = 65s;
constexpr Milliseconds k_first_pause = 200ms;
constexpr Milliseconds k_shortest_pause = 20ms;
constexpr Milliseconds k_retry_budget = 60s;  // of a task without a time limit
constexpr int k_max_message_bytes = 128 << 20;
constexpr int k_max_header_bytes = 1 << 20;  // error texts of the server travel as headers
constexpr std::string_view k_service = "/temporal.api.workflowservice.v1.WorkflowService/";

std::atomic<const par_host*> g_log_host{nullptr};

void log_line(gpr_log_func_args* line) {
  const par_host* const host = g_log_host.load();
  if (host == nullptr || line->severity < GPR_LOG_SEVERITY_ERROR) return;
  par::Host(host).log(par::LogLevel::debug, std::string("gRPC: ") + line->message);
}

// gRPC takes a list of addresses of one family only, so the list is cut wherever the family changes.
std::vector<std::string> targets(const std::vector<std::string>& addresses, uint16_t port) {
  std::vector<std::string> result;
  std::string_view family;
  for (const std::string& address : addresses) {
    const bool v6 = address.find(':') != std::string::npos;
    const std::string text = (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
    const std::string_view its_family = v6 ? "ipv6:" : "ipv4:";
    if (its_family == family) {
      result.back() += "," + text;
    } else {
      family = its_family;
      result.push_back(std::string(family) + text);
    }
  }
  return result;
}

const char* code_name(grpc::StatusCode code) {
  constexpr const char* k_names[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return code >= 0 && code < std::ssize(k_names) ? k_names[code] : "an unknown status";
}

// What to look at, for the failures that settings of the connection cause.
std::string advice(const grpc::Status& status, const Endpoint& endpoint) {
  const std::string& text = status.error_message();
  const auto says = [&](const char* part) { return text.find(part) != std::string::npos; };
  const bool refused = status.error_code() == grpc::StatusCode::PERMISSION_DENIED ||
                       status.error_code() == grpc::StatusCode::UNAUTHENTICATED;
  if (refused && endpoint.tls)
    return endpoint.api_key.empty() ? "; the connection has no token \"apiKey\""
                                    : "; is the connection's token \"apiKey\" valid, and for this namespace?";
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return {};
  if (says("certificate verify failed"))
    return endpoint.tls && !endpoint.tls->roots.empty()
               ? "; the authority in the token \"serverRootCACertificate\" did not sign the server's "
                 "certificate"
               : "; the runner trusts no authority that signed the server's certificate: add the token "
                 "\"serverRootCACertificate\"";
  if (says("not in peer certificate"))
    return "; put a name of the server's certificate into the token \"serverNameOverride\"";
  if (says("wrong version number"))
    return "; the server speaks no TLS: use the token \"address\" in place of \"serverAddress\"";
  if (!says("closed") && !says("read failed") && !says("reset") && !says("Broken pipe")) return {};
  if (!endpoint.tls) return "; does the server expect TLS (token \"serverAddress\")?";
  return endpoint.tls->certificate.empty() ? "; does the server demand a client certificate (mTLS)?"
                                           : "; does the server accept this client certificate?";
}

std::shared_ptr<grpc::ChannelCredentials> credentials(const Endpoint& endpoint, const par::Call& call) {
  if (!endpoint.tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = endpoint.tls->roots.empty() ? call.net().trust_roots() : endpoint.tls->roots;
  options.pem_cert_chain = endpoint.tls->certificate;
  options.pem_private_key = endpoint.tls->key;
  return grpc::SslCredentials(options);
}

grpc::ChannelArguments channel_arguments(const Endpoint& endpoint) {
  grpc::ChannelArguments arguments;
  // Nothing but what the runner decided: no proxy of the environment, no settings from the name service, no
  // connection that another task made.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // The name in the request, and the one that the server's certificate must have.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, endpoint.authority);
  arguments.SetMaxReceiveMessageSize(k_max_message_bytes);
  arguments.SetMaxSendMessageSize(k_max_message_bytes);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, k_max_header_bytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 15'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // a long poll is silent
  // Our own pauses decide when a lost connection is tried again.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  return arguments;
}

}  // namespace

GrpcRuntime::GrpcRuntime(par::Host host) {
  g_log_host = host.raw();
  gpr_set_log_function(log_line);
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);  // before gRPC looks at its environment
  grpc_init();
}

GrpcRuntime::~GrpcRuntime() {
  g_log_host = nullptr;
  grpc_shutdown();
}

bool RpcError::leaves_unknown() const {
  switch (code_) {
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DATA_LOSS:
      return true;
    default:
      return false;
  }
}

struct Rpc::Attempt {
  grpc::Status status;
  std::string response;
};

class Rpc::Transport {
 public:
  Transport(const std::string& target, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
            const grpc::ChannelArguments& arguments)
      : stub_(grpc::CreateCustomChannel(target, credentials, arguments)) {}
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  ~Transport() {
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  // Blocks until the call has ended, by itself or through the context.
  Attempt run(grpc::ClientContext& context, const char* method, const std::string& request) {
    grpc::Slice slice(request);
    const auto exchange = stub_.PrepareUnaryCall(&context, std::string(k_service) + method,
                                                 grpc::ByteBuffer(&slice, 1), &queue_);
    Attempt result;
    grpc::ByteBuffer response;
    exchange->StartCall();
    exchange->Finish(&response, &result.status, this);
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
    if (!result.status.ok()) return result;
    std::vector<grpc::Slice> slices;
    if (!response.Dump(&slices).ok()) {
      result.status = grpc::Status(grpc::StatusCode::INTERNAL, "the answer could not be decompressed");
      return result;
    }
    result.response.reserve(response.Length());
    for (const grpc::Slice& part : slices)
      result.response.append(reinterpret_cast<const char*>(part.begin()), part.size());
    return result;
  }

 private:
  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
};

Rpc::Rpc(const Endpoint& endpoint, const std::string& temporal_namespace, const par::Call& call)
    : endpoint_(endpoint), namespace_(temporal_namespace), call_(call) {
  if (!fits_header(namespace_)) {
    throw par::Error("the input \"namespace\" has characters that no Temporal namespace has; expected ASCII");
  }
  connect();
}

Rpc::~Rpc() = default;

void Rpc::connect() {
  constexpr const char* k_method = "GetSystemInfo";
  const std::vector<std::string> addresses = call_.net().resolve(endpoint_.host, endpoint_.port);
  const auto all_targets = targets(addresses, endpoint_.port);
  const auto channel_credentials = credentials(endpoint_, call_);
  grpc::ChannelArguments arguments = channel_arguments(endpoint_);
  // How long one address may take before gRPC tries the next.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS,
                   static_cast<int>(std::max<Milliseconds>(k_connect_limit / addresses.size(), 1s).count()));

  Attempt answer;
  for (const std::string& target : all_targets) {
    transport_ = std::make_unique<Transport>(target, channel_credentials, arguments);
    answer = attempt(k_method, wire::GetSystemInfoRequest().SerializeAsString(), k_connect_limit, false);
    const auto code = answer.status.error_code();
    if (code != grpc::StatusCode::UNAVAILABLE && code != grpc::StatusCode::DEADLINE_EXCEEDED) break;
  }
  // Servers older than this method are fine.
  if (answer.status.error_code() == grpc::StatusCode::UNIMPLEMENTED) return;
  wire::GetSystemInfoResponse info;
  if (answer.status.ok() && !info.ParseFromString(answer.response))
    answer.status = grpc::Status(grpc::StatusCode::INTERNAL, "the answer is not a message of this method");
  if (!answer.status.ok()) fail(k_method, answer, 1);
  retry_internal_ = !info.capabilities().internal_error_differentiation();
}

void Rpc::call(const char* method, const google::protobuf::MessageLite& request,
               google::protobuf::MessageLite& response, Kind kind) {
  const std::string bytes = request.SerializeAsString();
  std::optional<Clock::time_point> first_failure;  // a long poll may have been quiet for a while before
  const auto left = [&] {
    const Milliseconds remaining = call_.remaining();
    if (remaining != Milliseconds::max()) return remaining;
    return k_retry_budget - std::chrono::duration_cast<Milliseconds>(Clock::now() - *first_failure);
  };
  Milliseconds pause = k_first_pause;
  for (int attempts = 1;; ++attempts) {
    const Milliseconds limit = kind == Kind::long_poll
                                   ? k_long_poll_limit
                                   : std::clamp(call_.remaining() / 2, k_shortest_call_limit, k_call_limit);
    Attempt answer = attempt(method, bytes, limit, true);
    if (answer.status.ok()) {
      if (response.ParseFromString(answer.response)) return;
      answer.status = grpc::Status(grpc::StatusCode::DATA_LOSS, "the answer is not a message of this method");
    }
    if (!first_failure) first_failure = Clock::now();
    const Milliseconds next = std::max(std::min(pause, left() / 10), k_shortest_pause);
    if (!may_pass(answer) || left() <= next) fail(method, answer, attempts);
    call_.wait(next);
    pause *= 2;
  }
}

bool Rpc::may_pass(const Attempt& attempt) const {
  switch (attempt.status.error_code()) {
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::UNKNOWN:
      return true;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      // A rate limit passes; a message that is too large for one side stays too large.
      return attempt.status.error_message().find("message larger than max") == std::string::npos;
    case grpc::StatusCode::INTERNAL:
      return retry_internal_;
    default:
      return false;
  }
}

Rpc::Attempt Rpc::attempt(const char* method, const std::string& request, Milliseconds limit,
                          bool with_namespace) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + limit);
  context.AddMetadata("client-name", "par-runner");
  context.AddMetadata("client-version", "1.0.0");
  context.AddMetadata("supported-server-versions", ">=1.0.0 <2.0.0");
  if (with_namespace) context.AddMetadata("temporal-namespace", namespace_);
  if (!endpoint_.api_key.empty()) context.AddMetadata("authorization", "Bearer " + endpoint_.api_key);
  Attempt result;
  {
    const auto cancel = call_.on_cancel([&context] { context.TryCancel(); });
    result = transport_->run(context, method, request);
  }
  if (result.status.ok() || !call_.cancelled()) return result;
  throw par::Error(PAR_CANCELLED, std::string(method) + " was cut off");
}

void Rpc::fail(const char* method, const Attempt& attempt, int attempts) const {
  const grpc::Status& status = attempt.status;
  std::string text = std::string("Temporal at ") + endpoint_.shown() + ": " + method + " failed with " +
                     code_name(status.error_code()) + ": " + status.error_message() +
                     advice(status, endpoint_);
  if (attempts > 1) text += " (after " + std::to_string(attempts) + " attempts)";
  throw RpcError(status.error_code(), std::move(text), status.error_details());
}

}  // namespace temporal_plugin
