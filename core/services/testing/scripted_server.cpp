#include "core/services/testing/scripted_server.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/files.hpp"
#include "core/base/strings.hpp"
#include "core/services/openssl.hpp"
#include "core/services/socket_bio.hpp"

namespace par::core::testing {
namespace {

void use(SSL_CTX* context, const Certificate& own) {
  const auto chain = parse_certificates(own.certificate);
  const openssl::Bio bio = openssl::reader(own.key);
  const openssl::Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    throw std::runtime_error("the test's certificate cannot be used");
  }
}

FileDescriptor loopback_socket(uint16_t& port) {
  FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd.get(), 512) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no listening socket");
  }
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

struct Peer::State {
  size_t index = 0;
  std::mutex fd_mutex;  ///< against closing while the server shuts down
  FileDescriptor fd;
  openssl::SslContext context;
  openssl::Ssl tls;
  std::string buffer;
  std::function<void(const std::string&)> on_request;

  // 0 at the end or after an error.
  size_t receive(char* data, size_t size) {
    if (tls) {
      size_t got = 0;
      return SSL_read_ex(tls.get(), data, size, &got) == 1 ? got : 0;
    }
    const ssize_t got = ::recv(fd.get(), data, size, 0);
    return got > 0 ? static_cast<size_t>(got) : 0;
  }
  bool fill() {
    char piece[16384];
    const size_t got = receive(piece, sizeof piece);
    buffer.append(piece, got);
    return got != 0;
  }
};

size_t Peer::index() const {
  return state_->index;
}

std::string Peer::read(size_t size) {
  while (state_->buffer.size() < size && state_->fill()) {
  }
  std::string out = state_->buffer.substr(0, size);
  state_->buffer.erase(0, out.size());
  return out;
}

std::string Peer::read_request() {
  size_t end = 0;
  while ((end = state_->buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!state_->fill()) return {};
  }
  end += 4;
  constexpr std::string_view k_length = "\r\ncontent-length:";
  const std::string head = to_lower(std::string_view(state_->buffer).substr(0, end));
  const size_t at = head.find(k_length);
  const size_t body =
      at == std::string::npos ? 0 : std::strtoull(head.c_str() + at + k_length.size(), nullptr, 10);
  const std::string request = read(end + body);
  state_->on_request(request);
  return request;
}

bool Peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    size_t sent = 0;
    if (state_->tls) {
      if (SSL_write_ex(state_->tls.get(), bytes.data(), bytes.size(), &sent) != 1) return false;
    } else {
      const ssize_t count = ::send(state_->fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      sent = static_cast<size_t>(count);
    }
    bytes.remove_prefix(sent);
  }
  return true;
}

void Peer::hold_back(bool together) {
  const int on = together ? 1 : 0;
  ::setsockopt(state_->fd.get(), IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

void Peer::answer(std::string_view body, std::string_view more_headers) {
  std::string out = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  out.append(more_headers).append("\r\n").append(body);
  send(out);
}

void Peer::wait_for_close() {
  while (state_->fill()) state_->buffer.clear();
}

void Peer::reset() {
  const linger now{1, 0};
  ::setsockopt(state_->fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  state_->tls.reset();
  const std::lock_guard lock(state_->fd_mutex);
  state_->fd.reset();
}

bool Peer::start_tls(const Certificate& certificate, const std::string& client_ca_pem) {
  state_->context.reset(SSL_CTX_new(TLS_server_method()));
  use(state_->context.get(), certificate);
  if (!client_ca_pem.empty()) {
    for (const auto& ca : parse_certificates(client_ca_pem)) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(state_->context.get()), ca.get());
    }
    SSL_CTX_set_verify(state_->context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  state_->tls.reset(SSL_new(state_->context.get()));
  BIO* bio = make_socket_bio(state_->fd.get()).release();
  SSL_set_bio(state_->tls.get(), bio, bio);
  return SSL_accept(state_->tls.get()) == 1;
}

std::string Peer::server_name() const {
  const char* name = state_->tls ? SSL_get_servername(state_->tls.get(), TLSEXT_NAMETYPE_host_name) : nullptr;
  return name ? name : "";
}

void Peer::relay(uint16_t port) {
  const FileDescriptor other(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::connect(other.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return;
  pollfd fds[2] = {{state_->fd.get(), POLLIN, 0}, {other.get(), POLLIN, 0}};
  char piece[16384];
  for (;;) {
    const bool pending = state_->tls && SSL_has_pending(state_->tls.get()) == 1;
    if (!pending && ::poll(fds, 2, -1) < 0) return;
    if (pending || fds[0].revents != 0) {
      const size_t got = state_->receive(piece, sizeof piece);
      if (got == 0 || ::send(other.get(), piece, got, MSG_NOSIGNAL) < 0) return;
    }
    if (!pending && fds[1].revents != 0) {
      const ssize_t got = ::recv(other.get(), piece, sizeof piece, 0);
      if (got <= 0) return;
      send({piece, static_cast<size_t>(got)});
    }
  }
}

struct ScriptedServer::Impl {
  Script script;
  std::optional<Certificate> certificate;
  std::string client_ca_pem;
  uint16_t port = 0;
  FileDescriptor listener = loopback_socket(port);
  std::atomic<size_t> connections{0};
  mutable std::mutex mutex;
  bool closing = false;
  std::vector<std::string> requests;
  std::vector<std::shared_ptr<Peer::State>> peers;
  std::vector<std::thread> threads;

  void serve() {
    for (;;) {
      FileDescriptor accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      const std::lock_guard lock(mutex);
      if (!accepted || closing) return;
      auto state = std::make_shared<Peer::State>();
      state->index = connections++;
      state->fd = std::move(accepted);
      state->on_request = [this](const std::string& request) {
        const std::lock_guard request_lock(mutex);
        requests.push_back(request);
      };
      peers.push_back(state);
      threads.emplace_back([this, state] { talk(state); });
    }
  }

  void talk(const std::shared_ptr<Peer::State>& state) {
    Peer peer(state);
    if (!certificate || peer.start_tls(*certificate, client_ca_pem)) script(peer);
    if (state->tls && state->fd) SSL_shutdown(state->tls.get());
    const std::lock_guard lock(state->fd_mutex);
    state->fd.reset();
  }
};

ScriptedServer::ScriptedServer(Script script) : impl_(std::make_shared<Impl>()) {
  impl_->script = std::move(script);
  impl_->threads.emplace_back([impl = impl_.get()] { impl->serve(); });
}

ScriptedServer::ScriptedServer(Script script, Certificate certificate, std::string client_ca_pem)
    : impl_(std::make_shared<Impl>()) {
  impl_->script = std::move(script);
  impl_->certificate = std::move(certificate);
  impl_->client_ca_pem = std::move(client_ca_pem);
  const std::lock_guard lock(impl_->mutex);
  impl_->threads.emplace_back([impl = impl_.get()] { impl->serve(); });
}

ScriptedServer::~ScriptedServer() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->closing = true;
    ::shutdown(impl_->listener.get(), SHUT_RDWR);
    for (const auto& peer : impl_->peers) {
      const std::lock_guard fd_lock(peer->fd_mutex);
      if (peer->fd) ::shutdown(peer->fd.get(), SHUT_RDWR);
    }
    threads.swap(impl_->threads);
  }
  for (auto& thread : threads) thread.join();
}

uint16_t ScriptedServer::port() const {
  return impl_->port;
}

std::string ScriptedServer::url(std::string_view path) const {
  return (impl_->certificate ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(impl_->port) +
         std::string(path);
}

size_t ScriptedServer::connections() const {
  return impl_->connections;
}

std::vector<std::string> ScriptedServer::requests() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->requests;
}

ScriptedServer::Script always(std::string body) {
  return [body = std::move(body)](Peer& peer) {
    while (!peer.read_request().empty()) peer.answer(body);
  };
}

}  // namespace par::core::testing
