#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/services/http_client.hpp"
#include "core/services/ip_address.hpp"
#include "core/services/openssl.hpp"
#include "core/services/task.hpp"
#include "core/services/tls_contexts.hpp"
#include "core/services/waiter.hpp"

namespace par::core {

template <typename T>
using HttpResult = Result<T, HttpError>;

/// A TCP connection with up to two layers of TLS (to a proxy, and through it to the origin). It belongs to
/// one exchange at a time and to no thread. Errors of a wait that ran out are of kind `deadline`; who set the
/// limit knows better.
class Connection {
 public:
  Connection(std::string key, std::string peer) : key_(std::move(key)), peer_(std::move(peer)) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// What it may be reused for (see Hop::pool_key).
  const std::string& key() const { return key_; }
  /// The other side as error texts name it.
  const std::string& peer() const { return peer_; }
  void set_peer(std::string peer) { peer_ = std::move(peer); }

  /// Begins to open the TCP connection, without waiting.
  HttpResult<bool> dial(IpAddress address, uint16_t port);
  /// Is the TCP connection open? False: still under way, wait for socket() to become writable.
  HttpResult<bool> is_open();
  Socket& socket() { return socket_; }
  /// Adds a layer of TLS with the context of `identity`. `name` is verified and, unless it is an address,
  /// sent as SNI.
  Task<HttpResult<bool>> start_tls(Waiter& waiter, std::shared_ptr<SSL_CTX> context, std::string name,
                                   const TlsIdentity& identity, SteadyTime until);
  /// Sends what is behind the first `sent` bytes of the parts. `sent` then counts the bytes that left, also
  /// on failure. If the peer answers or closes before it took everything, this ends with false; after an
  /// answer it may be called again.
  Task<HttpResult<bool>> write(Waiter& waiter, std::span<const std::string_view> parts, SteadyTime until,
                               uint64_t& sent);
  /// Reads what is there, at least one byte; 0 is the end.
  Task<HttpResult<size_t>> read(Waiter& waiter, char* buffer, size_t capacity, SteadyTime until);

  /// Idle and still open at the other end? Looks without waiting.
  bool is_alive();

  SteadyTime idle_since{};

 private:
  enum class Next { done, read, write, end };
  /// One attempt that does not wait: done with `count` bytes, the end, or what to wait for first.
  HttpResult<Next> try_read(char* buffer, size_t capacity, size_t& count);
  HttpResult<Next> try_write(std::span<const std::string_view> parts, size_t& count);
  HttpResult<Next> tls_next(int code, const char* doing);
  /// Has TLS taken bytes from the socket that nobody has read?
  bool has_unread() const;
  /// Did the peer send something already, or close? Looks without waiting, while sending.
  bool has_input();
  HttpError lost(const char* doing, int error) const;
  HttpError refused(int error) const;
  HttpError ended(WaitEnd end, const char* doing) const;
  SSL* tls() const { return layers_.empty() ? nullptr : layers_.back().get(); }

  std::string key_;
  std::string peer_;  ///< for texts: host, port and address
  Socket socket_;
  std::vector<openssl::Ssl> layers_;  ///< innermost (nearest to the socket) first
  bool answer_is_due_ = false;        ///< all was sent, and nothing was read since
};

}  // namespace par::core
