#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace par::backend {

using core::Milliseconds;
using core::Result;

struct Request {
  std::string method;
  std::string path;                                          ///< target up to '?'
  std::string query;                                         ///< behind it
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case, in the order they came
  std::string body;
  core::SystemTime arrived;
  uint64_t connection = 0;

  /// The first header of that (lower-case) name; empty if there is none.
  std::string_view header(std::string_view name) const;
  /// A query parameter, not decoded.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

/// An answer, and how it is sent.
struct Reply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string content_type = "application/json";

  enum class End { keep, reset, close } end = End::keep;  ///< reset and close: no answer at all
  std::optional<size_t> truncate;                         ///< bytes of the body to send before closing
  Milliseconds drip{0};                                   ///< above 0: byte by byte at this pace
};

using Respond = std::function<void(Reply)>;
/// Called on the loop's thread; must call `respond` exactly once, now or later.
using Handler = std::function<void(std::shared_ptr<const Request> request, Respond respond)>;

/// The one thread on which everything happens, and its timers.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void after(Milliseconds delay, std::function<void()> work);
  /// Calls `work` once on SIGTERM or SIGINT.
  void on_signal(std::function<void()> work);
  void run();
  /// Makes run() return; requests under way are dropped.
  void stop();

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// Certificate and key as PEM.
struct TlsIdentity {
  std::string certificate;
  std::string private_key;
};

/// An HTTP/1.1 server on loopback: keep-alive, any number of connections, bodies up to 64 MiB.
class Server {
 public:
  /// Listens on 127.0.0.1 and, if `also_ipv6` and there is an IPv6 loopback, on ::1 with the same port. Port
  /// 0 takes a free one. Error: the port is taken.
  static Result<std::unique_ptr<Server>> listen(Loop& loop, uint16_t port, bool also_ipv6,
                                                const std::optional<TlsIdentity>& tls, Handler handler);
  ~Server();

  uint16_t port() const;
  uint64_t connections() const;  ///< accepted since the start
  uint64_t open_connections() const;

  struct Impl;

 private:
  explicit Server(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace par::backend
