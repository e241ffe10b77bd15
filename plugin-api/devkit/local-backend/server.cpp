#include "plugin-api/devkit/local-backend/server.hpp"

#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "core/base/strings.hpp"

namespace par::backend {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using TlsStream = ssl::stream<tcp::socket>;

constexpr uint64_t k_largest_body = uint64_t{64} << 20;
constexpr uint32_t k_largest_head = 64 * 1024;
// Up to here head and body travel in one write, so in one TLS record and one packet.
constexpr size_t k_joined_body = 16 * 1024;

auto waiting(error_code& error) {
  return asio::redirect_error(asio::use_awaitable, error);
}

Request translate(http::request<http::string_body>&& message, uint64_t connection) {
  Request request;
  request.arrived = std::chrono::system_clock::now();
  request.connection = connection;
  request.method = std::string(message.method_string());
  const std::string target(message.target());
  const size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string::npos) request.query = target.substr(mark + 1);
  for (const auto& field : message) {
    const std::string name(field.name_string());
    request.headers.emplace_back(core::to_lower(name), std::string(field.value()));
  }
  request.body = std::move(message.body());
  return request;
}

std::string head_of(const Reply& reply, bool keep_alive) {
  const auto reason = http::obsolete_reason(static_cast<http::status>(reply.status));
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nContent-Length: {}\r\n", reply.status,
                                 std::string_view(reason.data(), reason.size()), reply.body.size());
  if (!reply.body.empty()) head += fmt::format("Content-Type: {}\r\n", reply.content_type);
  if (!keep_alive) head += "Connection: close\r\n";
  for (const auto& [name, value] : reply.headers) head += fmt::format("{}: {}\r\n", name, value);
  return head + "\r\n";
}

// What comes back from a handler that may answer later.
struct Answer {
  explicit Answer(const asio::any_io_executor& executor)
      : ready(executor, asio::steady_timer::time_point::max()) {}
  asio::steady_timer ready;
  std::optional<Reply> reply;
};

}  // namespace

std::string_view Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::optional<std::string_view> Request::parameter(std::string_view name) const {
  for (const std::string_view pair : core::split(query, '&')) {
    const size_t equals = pair.find('=');
    if (pair.substr(0, equals) == name)
      return equals == std::string_view::npos ? "" : pair.substr(equals + 1);
  }
  return std::nullopt;
}

struct Loop::Impl {
  asio::io_context context{1};
  asio::signal_set signals{context};
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::after(Milliseconds delay, std::function<void()> work) {
  const auto timer = std::make_shared<asio::steady_timer>(impl_->context, delay);
  timer->async_wait([timer, work = std::move(work)](const error_code& error) {
    if (!error) work();
  });
}

void Loop::on_signal(std::function<void()> work) {
  impl_->signals.add(SIGTERM);
  impl_->signals.add(SIGINT);
  impl_->signals.async_wait([work = std::move(work)](const error_code& error, int) {
    if (!error) work();
  });
}

void Loop::run() {
  impl_->context.run();
}
void Loop::stop() {
  impl_->context.stop();
}

struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
  Impl(Loop& loop, Handler handle) : context(loop.impl().context), handler(std::move(handle)) {}

  asio::io_context& context;
  std::optional<ssl::context> tls;
  std::vector<tcp::acceptor> acceptors;
  Handler handler;
  uint64_t accepted = 0;
  uint64_t open = 0;

  void bind(const tcp::endpoint& endpoint) {
    tcp::acceptor acceptor(context);
    acceptor.open(endpoint.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    if (endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true));
    acceptor.bind(endpoint);
    acceptor.listen(1024);
    acceptors.push_back(std::move(acceptor));
  }

  void use_tls(const TlsIdentity& identity) {
    tls.emplace(ssl::context::tls_server);
    tls->set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
    tls->use_certificate_chain(asio::buffer(identity.certificate));
    tls->use_private_key(asio::buffer(identity.private_key), ssl::context::pem);
    SSL_CTX_set_mode(tls->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  }

  asio::awaitable<void> accept(tcp::acceptor& acceptor) {
    const auto self = shared_from_this();
    for (;;) {
      error_code error;
      tcp::socket socket = co_await acceptor.async_accept(waiting(error));
      if (error == asio::error::operation_aborted) co_return;
      if (error) {  // for instance no free descriptor: others will go away
        asio::steady_timer pause(context, Milliseconds(50));
        co_await pause.async_wait(waiting(error));
        continue;
      }
      socket.set_option(tcp::no_delay(true), error);
      const uint64_t number = ++accepted;
      ++open;
      asio::co_spawn(context, converse(std::move(socket), number),
                     [self](const std::exception_ptr&) { --self->open; });
    }
  }

  asio::awaitable<void> converse(tcp::socket socket, uint64_t number) {
    if (!tls) {
      co_await serve(socket, socket, number);
      co_return;
    }
    TlsStream stream(std::move(socket), *tls);
    error_code error;
    co_await stream.async_handshake(ssl::stream_base::server, waiting(error));
    if (!error) co_await serve(stream, stream.next_layer(), number);
  }

  template <typename Stream>
  asio::awaitable<void> serve(Stream& stream, tcp::socket& socket, uint64_t number) {
    boost::beast::flat_buffer buffer;
    for (;;) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(k_largest_body);
      parser.header_limit(k_largest_head);
      error_code error;
      co_await http::async_read(stream, buffer, parser, waiting(error));
      if (error) co_return;
      const bool keep_alive = parser.keep_alive();
      const Reply reply = co_await answer(translate(parser.release(), number));
      if (reply.end == Reply::End::reset) {
        socket.set_option(asio::socket_base::linger(true, 0), error);
        socket.close(error);
        co_return;
      }
      if (reply.end == Reply::End::close) break;
      co_await send(stream, reply, keep_alive, error);
      if (error || !keep_alive || reply.truncate) break;
    }
    co_await close(stream);
  }

  asio::awaitable<Reply> answer(Request request) {
    const auto pending = std::make_shared<Answer>(context.get_executor());
    handler(std::make_shared<const Request>(std::move(request)), [pending](Reply reply) {
      pending->reply = std::move(reply);
      pending->ready.cancel();
    });
    error_code ignored;
    if (!pending->reply) co_await pending->ready.async_wait(waiting(ignored));
    co_return std::move(*pending->reply);
  }

  template <typename Stream>
  asio::awaitable<void> send(Stream& stream, const Reply& reply, bool keep_alive, error_code& error) {
    std::string head = head_of(reply, keep_alive && !reply.truncate);
    const std::string_view body =
        std::string_view(reply.body).substr(0, reply.truncate.value_or(std::string::npos));
    if (reply.drip.count() > 0) {
      head += body;
      asio::steady_timer pause(context);
      for (size_t at = 0; at < head.size() && !error; ++at) {
        co_await asio::async_write(stream, asio::buffer(&head[at], 1), waiting(error));
        pause.expires_after(reply.drip);
        if (!error) co_await pause.async_wait(waiting(error));
      }
      co_return;
    }
    if (body.size() <= k_joined_body) {
      head += body;
      co_await asio::async_write(stream, asio::buffer(head), waiting(error));
      co_return;
    }
    co_await asio::async_write(stream, asio::buffer(head), waiting(error));
    if (!error) co_await asio::async_write(stream, asio::buffer(body.data(), body.size()), waiting(error));
  }

  asio::awaitable<void> close(tcp::socket& socket) {
    error_code ignored;
    socket.shutdown(tcp::socket::shutdown_send, ignored);
    co_return;
  }

  // Says goodbye but does not wait for the other side's, which may never come.
  asio::awaitable<void> close(TlsStream& stream) {
    error_code ignored;
    asio::steady_timer limit(context, Milliseconds(200));
    const auto done = std::make_shared<bool>(false);
    limit.async_wait([&stream, done](const error_code&) {
      error_code closed;
      if (!*done) stream.next_layer().close(closed);
    });
    co_await stream.async_shutdown(waiting(ignored));
    *done = true;
  }
};

Result<std::unique_ptr<Server>> Server::listen(Loop& loop, uint16_t port, bool also_ipv6,
                                               const std::optional<TlsIdentity>& tls, Handler handler) {
  auto impl = std::make_shared<Impl>(loop, std::move(handler));
  try {
    if (tls) impl->use_tls(*tls);
    impl->bind({asio::ip::address_v4::loopback(), port});
  } catch (const boost::system::system_error& failure) {
    return core::fail(fmt::format("cannot listen on 127.0.0.1:{}: {}; choose another port, or 0 for any",
                                  port, failure.code().message()));
  }
  if (also_ipv6) {
    try {
      impl->bind({asio::ip::address_v6::loopback(), impl->acceptors.front().local_endpoint().port()});
    } catch (const boost::system::system_error&) {
      // No IPv6 here, or the port is taken there: 127.0.0.1 is enough.
    }
  }
  for (tcp::acceptor& acceptor : impl->acceptors)
    asio::co_spawn(impl->context, impl->accept(acceptor), asio::detached);
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;
uint16_t Server::port() const {
  return impl_->acceptors.front().local_endpoint().port();
}
uint64_t Server::connections() const {
  return impl_->accepted;
}
uint64_t Server::open_connections() const {
  return impl_->open;
}

}  // namespace par::backend
