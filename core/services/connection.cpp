#include "core/services/connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "core/base/files.hpp"
#include "core/services/socket_bio.hpp"

namespace par::core {
namespace {

constexpr size_t k_max_parts_at_once = 16;
constexpr size_t k_tls_record = 16u << 10;

tl::unexpected<HttpError> http_fail(HttpFailure kind, std::string message) {
  return tl::unexpected(HttpError{kind, std::move(message)});
}

bool is_temporary(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

// Removes the first `count` bytes from the parts.
void drop_front(std::vector<std::string_view>& parts, size_t count) {
  size_t gone = 0;
  while (gone < parts.size() && count >= parts[gone].size()) count -= parts[gone++].size();
  parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(gone));
  if (!parts.empty()) parts.front().remove_prefix(count);
}

std::string tls_failure_text(SSL* tls, const std::string& peer, bool own_roots) {
  const long verified = SSL_get_verify_result(tls);
  if (SSL_get_verify_mode(tls) != SSL_VERIFY_NONE && verified != X509_V_OK) {
    ERR_clear_error();
    const bool unknown = verified == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
                         verified == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
                         verified == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
                         verified == X509_V_ERR_CERT_SIGNATURE_FAILURE ||  // another CA of the same name
                         verified == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
    const char* const advice =
        own_roots ? "; the only CA certificates that count here are those given for this connection"
                  : "; if it comes from a CA of your own, add that to SSL_CERT_DIR or SSL_CERT_FILE";
    return fmt::format("the certificate of {} is not trusted: {}{}", peer,
                       X509_verify_cert_error_string(verified), unknown ? advice : "");
  }
  return fmt::format("TLS handshake with {} failed: {}", peer, take_openssl_error());
}

}  // namespace

// An outer layer reads and writes through the inner one until it is gone.
Connection::~Connection() {
  while (!layers_.empty()) layers_.pop_back();
}

HttpError Connection::lost(const char* doing, int error) const {
  return {HttpFailure::connect, fmt::format("connection to {} lost while {}: {}", peer_, doing,
                                            error ? errno_text(error) : "closed by the peer")};
}

HttpError Connection::refused(int error) const {
  return {HttpFailure::connect, fmt::format("cannot connect to {}: {}", peer_, errno_text(error))};
}

HttpError Connection::ended(WaitEnd end, const char* doing) const {
  if (end == WaitEnd::cancelled)
    return {HttpFailure::cancelled, fmt::format("cancelled while {} {}", doing, peer_)};
  return {HttpFailure::deadline, fmt::format("time limit reached while {} {}", doing, peer_)};
}

HttpResult<bool> Connection::dial(IpAddress address, uint16_t port) {
  socket_.fd = FileDescriptor(
      ::socket(address.ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_.fd) {
    return http_fail(HttpFailure::connect, fmt::format("no socket for {}: {}", peer_, errno_text(errno)));
  }
  const int fd = socket_.fd.get();
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  sockaddr_storage storage{};
  const unsigned size = address.socket_address(port, storage);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&storage), size) == 0 || errno == EINPROGRESS) {
    return true;
  }
  return tl::unexpected(refused(errno));
}

HttpResult<bool> Connection::is_open() {
  pollfd state{socket_.fd.get(), POLLOUT, 0};
  if (::poll(&state, 1, 0) == 0) return false;
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(socket_.fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return tl::unexpected(refused(error));
  return true;
}

Task<HttpResult<bool>> Connection::start_tls(Waiter& waiter, std::shared_ptr<SSL_CTX> context,
                                             std::string name, const TlsIdentity& identity,
                                             SteadyTime until) {
  openssl::Ssl layer(SSL_new(context.get()));
  openssl::Bio bio;
  if (layers_.empty()) {
    bio = make_socket_bio(socket_.fd.get());
  } else {
    bio.reset(BIO_new(BIO_f_ssl()));
    if (bio) BIO_set_ssl(bio.get(), tls(), BIO_NOCLOSE);
  }
  if (!layer || !bio) co_return http_fail(HttpFailure::tls, "out of memory for a TLS connection");
  BIO* both = bio.release();
  SSL_set_bio(layer.get(), both, both);
  SSL_set_connect_state(layer.get());
  if (name.ends_with('.')) name.pop_back();
  if (const auto address = IpAddress::parse(name)) {
    if (identity.verify) {
      IpAddress plain = *address;
      plain.zone = 0;
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(layer.get()), plain.text().c_str());
    }
  } else {
    SSL_set_tlsext_host_name(layer.get(), name.c_str());
    SSL_set_hostflags(layer.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (identity.verify && SSL_set1_host(layer.get(), name.c_str()) != 1) {
      co_return http_fail(HttpFailure::tls, fmt::format("'{}' cannot be the name in a certificate", name));
    }
  }
  for (;;) {
    ERR_clear_error();
    errno = 0;
    const int code = SSL_do_handshake(layer.get());
    if (code == 1) break;
    const int error = SSL_get_error(layer.get(), code);
    WaitEnd end = WaitEnd::ready;
    if (error == SSL_ERROR_WANT_READ) {
      end = co_await waiter.readable(socket_, until);
    } else if (error == SSL_ERROR_WANT_WRITE) {
      end = co_await waiter.writable(socket_, until);
    } else if (error == SSL_ERROR_SSL) {
      co_return http_fail(HttpFailure::tls, tls_failure_text(layer.get(), peer_, !identity.ca_pem.empty()));
    } else {
      co_return http_fail(HttpFailure::tls,
                          fmt::format("{} closed the connection during the TLS handshake", peer_));
    }
    if (end != WaitEnd::ready) co_return tl::unexpected(ended(end, "in the TLS handshake with"));
  }
  layers_.push_back(std::move(layer));
  co_return true;
}

HttpResult<Connection::Next> Connection::tls_next(int code, const char* doing) {
  switch (SSL_get_error(tls(), code)) {
    case SSL_ERROR_WANT_READ:
      return Next::read;
    case SSL_ERROR_WANT_WRITE:
      return Next::write;
    case SSL_ERROR_ZERO_RETURN:
      return Next::end;
    case SSL_ERROR_SYSCALL:
      return tl::unexpected(lost(doing, errno));
    default:
      break;
  }
  if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    ERR_clear_error();
    return tl::unexpected(lost(doing, 0));
  }
  return http_fail(HttpFailure::tls,
                   fmt::format("TLS error while {} {}: {}", doing, peer_, take_openssl_error()));
}

HttpResult<Connection::Next> Connection::try_read(char* buffer, size_t capacity, size_t& count) {
  if (SSL* layer = tls()) {
    ERR_clear_error();
    errno = 0;
    const int code = SSL_read_ex(layer, buffer, capacity, &count);
    return code == 1 ? Next::done : tls_next(code, "reading the answer of");
  }
  const ssize_t got = ::recv(socket_.fd.get(), buffer, capacity, 0);
  if (got < 0) {
    if (is_temporary(errno)) return Next::read;
    return tl::unexpected(lost("reading the answer", errno));
  }
  count = static_cast<size_t>(got);
  return got == 0 ? Next::end : Next::done;
}

HttpResult<Connection::Next> Connection::try_write(std::span<const std::string_view> parts, size_t& count) {
  if (SSL* layer = tls()) {
    // Small parts go together into one record.
    std::string joined;
    std::string_view piece = parts.front();
    if (parts.size() > 1 && piece.size() < k_tls_record) {
      for (const auto& part : parts) {
        joined.append(part.substr(0, k_tls_record - joined.size()));
        if (joined.size() == k_tls_record) break;
      }
      piece = joined;
    }
    ERR_clear_error();
    errno = 0;
    const int code = SSL_write_ex(layer, piece.data(), piece.size(), &count);
    return code == 1 ? Next::done : tls_next(code, "sending the request to");
  }
  std::array<iovec, k_max_parts_at_once> vectors{};
  const size_t used = std::min(parts.size(), vectors.size());
  for (size_t at = 0; at < used; ++at) {
    vectors[at] = {const_cast<char*>(parts[at].data()), parts[at].size()};
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = used;
  const ssize_t sent = ::sendmsg(socket_.fd.get(), &message, MSG_NOSIGNAL);
  if (sent < 0) {
    if (is_temporary(errno)) return Next::write;
    return tl::unexpected(lost("sending the request", errno));
  }
  count = static_cast<size_t>(sent);
  return Next::done;
}

Task<HttpResult<bool>> Connection::write(Waiter& waiter, std::span<const std::string_view> parts,
                                         SteadyTime until, uint64_t& sent) {
  std::vector<std::string_view> left(parts.begin(), parts.end());
  drop_front(left, sent);
  while (!left.empty()) {
    size_t count = 0;
    const auto next = try_write(left, count);
    if (!next) {
      // A peer that refuses a large body answers and closes: the answer is worth more than the error.
      if (next.error().kind == HttpFailure::connect && sent > 0) co_return false;
      co_return tl::unexpected(next.error());
    }
    WaitEnd end = WaitEnd::ready;
    if (*next == Next::done) {
      sent += count;
      drop_front(left, count);
    } else if (*next == Next::read) {
      end = co_await waiter.readable(socket_, until);
    } else if (*next == Next::write) {
      // A peer that has made up its mind may answer and take no more.
      if (has_input()) co_return false;
      end = co_await waiter.readable_or_writable(socket_, until);
    } else {
      co_return false;
    }
    if (end != WaitEnd::ready) co_return tl::unexpected(ended(end, "sending the request to"));
  }
  answer_is_due_ = true;
  co_return true;
}

Task<HttpResult<size_t>> Connection::read(Waiter& waiter, char* buffer, size_t capacity, SteadyTime until) {
  // No answer is here as soon as the request has left: a first look would cost a system call and, with TLS, a
  // buffer.
  bool look = !std::exchange(answer_is_due_, false) || has_unread();
  for (;;) {
    size_t count = 0;
    const auto next = look ? try_read(buffer, capacity, count) : HttpResult<Next>(Next::read);
    look = true;
    if (!next) co_return tl::unexpected(next.error());
    if (*next == Next::done) co_return count;
    if (*next == Next::end) co_return size_t{0};
    WaitEnd end = WaitEnd::ready;
    if (*next == Next::read) {
      end = co_await waiter.readable(socket_, until);
    } else {
      end = co_await waiter.writable(socket_, until);
    }
    if (end != WaitEnd::ready) co_return tl::unexpected(ended(end, "waiting for the answer of"));
  }
}

bool Connection::has_input() {
  char byte = 0;
  if (SSL* layer = tls()) {
    ERR_clear_error();
    size_t count = 0;
    return SSL_peek_ex(layer, &byte, 1, &count) == 1;
  }
  return ::recv(socket_.fd.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

bool Connection::has_unread() const {
  return std::any_of(layers_.begin(), layers_.end(),
                     [](const openssl::Ssl& layer) { return SSL_has_pending(layer.get()) == 1; });
}

bool Connection::is_alive() {
  char byte = 0;
  const bool silent = ::recv(socket_.fd.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && is_temporary(errno);
  if (layers_.empty() || (silent && !has_unread())) return silent;
  // Bytes that came behind the last answer, or a session ticket, which reading swallows. Whatever can be read
  // makes the connection useless: it belongs to no request.
  size_t count = 0;
  const auto next = try_read(&byte, 1, count);
  return next && *next == Next::read;
}

}  // namespace par::core
