#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/services/egress.hpp"

namespace boost::asio {
class io_context;
}

namespace par::core {

class Log;
class TrustStore;

struct HttpHeader {
  std::string name;
  std::string value;
};

/// In which way a request failed. The same kinds, in the same order, as the PAR_ statuses of the ABI.
enum class HttpFailure { cancelled, deadline, limit, invalid, policy, resolve, connect, tls, protocol };

struct HttpError {
  HttpFailure kind = HttpFailure::connect;
  std::string message;  ///< for people; names host and cause, never user info, query or header values
  bool sent = false;    ///< some of the request may have reached the peer
};

/// A request. Texts are borrowed until the final headers are in.
struct HttpRequest {
  std::string_view method = "GET";
  std::string_view url;
  std::vector<HttpHeader> headers;  ///< order and spelling are kept
  bool has_body = false;
  std::vector<std::string_view> body;  ///< parts, sent one after the other
  bool follow_redirects = false;
  bool verify_certificate = true;
  std::string_view ca_pem;  ///< replaces the trusted roots
  std::string_view client_certificate_pem;
  std::string_view client_key_pem;
  std::string_view server_name;        ///< for SNI and verification; empty: the URL's host
  std::string_view proxy;              ///< for this request; empty: as the environment says
  std::optional<SteadyTime> deadline;  ///< for the whole exchange including its body
  Milliseconds connect_timeout{10'000};
  uint64_t max_body_bytes = UINT64_MAX;  ///< after decompression
};

struct HttpResponseHead {
  int status = 0;
  std::string reason;
  std::vector<HttpHeader> headers;  ///< wire order, duplicates kept
  std::string final_url;
  unsigned redirects = 0;
};

/// An answer with its whole body.
struct HttpAnswer {
  HttpResponseHead head;
  std::string body;
};

/// Proxies as HTTP_PROXY, HTTPS_PROXY and NO_PROXY name them (lower case counts too).
struct ProxySettings {
  std::string http_proxy;  ///< may hold a password in its user info
  std::string https_proxy;
  std::string no_proxy;  ///< comma-separated: host, .domain, address, CIDR, host:port or *
};

/// What tests put in the place of the network.
struct HttpClientHooks {
  /// Instead of getaddrinfo(): the numeric addresses of a name. May block; called on threads of its own.
  std::function<Result<std::vector<std::string>>(const std::string& host)> lookup;
  /// Called with each address and port that passed all checks, just before it is dialled; what it answers is
  /// dialled.
  std::function<std::pair<std::string, uint16_t>(const std::string& address, uint16_t port)> dial;
};

/// Outgoing HTTP/1.1, for the control plane (fetch) and for plugins (open). One client serves the whole
/// process: it keeps idle connections and reuses one only for a request with equal scheme, host, port, proxy,
/// TLS settings and policy. Plain and TLS, proxies, redirects, total deadlines. This header is all that other
/// code sees of Boost.Beast.
class HttpClient {
 public:
  /// fetch() works on `control`'s thread; open() and read() work on the caller's thread, which they block. As
  /// long as there are idle connections a timer of `control` looks after them, so run() on it does not return
  /// by itself.
  HttpClient(boost::asio::io_context& control, std::shared_ptr<TrustStore> trust, ProxySettings proxies,
             const Log& log, HttpClientHooks hooks = {});
  /// Fetches that are still open end without a call of their handlers. Not while a thread is inside open() or
  /// read(), on the control thread or after `control` has stopped, and before `control` is destroyed.
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  using Fetched = std::function<void(Result<HttpAnswer, HttpError>)>;
  /// Bytes that are kept for a repetition while they are sent, without a copy.
  using SharedBody = std::shared_ptr<const std::string>;

  /// Ends a fetch early: its handler then gets `cancelled`. Does nothing once the handler has run. Control
  /// thread only.
  class FetchHandle {
   public:
    FetchHandle() = default;
    void cancel();

   private:
    friend class HttpClient;
    std::weak_ptr<void> fetch_;
  };

  /// The control plane's way out: sends `request` without policy, collects the whole body and calls `done`
  /// once, on the control thread, never from inside this function. `request` is taken over: `body` (null:
  /// empty) becomes its body if has_body is set, and its texts are copied where they are needed later.
  /// Control thread only.
  FetchHandle fetch(HttpRequest request, SharedBody body, Fetched done);

  /// An answer whose body is read piece by piece. Destroying it before the end closes the connection.
  class Exchange {
   public:
    virtual ~Exchange() = default;
    virtual const HttpResponseHead& head() const = 0;
    /// At most `capacity` bytes into `buffer`; 0 is the end of the body. Blocks.
    virtual Result<size_t, HttpError> read(char* buffer, size_t capacity) = 0;
  };

  /// A plugin's way out: blocks until the final headers are in. `cancelled` ends any wait within
  /// milliseconds, also name lookups.
  Result<std::unique_ptr<Exchange>, HttpError> open(const HttpRequest& request, const EgressPolicy& policy,
                                                    std::stop_token cancelled);

  /// Name lookup under a policy, as open() does it: numeric addresses in the order to try.
  Result<std::vector<std::string>, HttpError> resolve(std::string_view host, uint16_t port,
                                                      const EgressPolicy& policy,
                                                      std::optional<SteadyTime> deadline,
                                                      std::stop_token cancelled);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace par::core
