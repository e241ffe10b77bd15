#include "core/services/http_client.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <exception>
#include <set>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/strings.hpp"
#include "core/services/blocking_waiter.hpp"
#include "core/services/connection_pool.hpp"
#include "core/services/dialer.hpp"
#include "core/services/http_exchange.hpp"
#include "core/services/loop_waiter.hpp"

namespace par::core {
namespace asio = boost::asio;
namespace {

constexpr std::chrono::seconds k_sweep_interval{15};
constexpr uint64_t k_max_reserve = 64u << 20;
Resolver::Function lookup_from(const HttpClientHooks& hooks) {
  if (!hooks.lookup) return nullptr;
  return [lookup = hooks.lookup](const std::string& host) -> Resolver::Addresses {
    const auto names = lookup(host);
    if (!names) return tl::unexpected(names.error());
    std::vector<IpAddress> addresses;
    for (const auto& name : *names) addresses.push_back(IpAddress::parse(name).value());
    return addresses;
  };
}

Dialer::Redirect redirect_from(const HttpClientHooks& hooks) {
  if (!hooks.dial) return nullptr;
  return [dial = hooks.dial](const IpAddress& address, uint16_t port) {
    const auto [text, new_port] = dial(address.text(), port);
    return std::pair(IpAddress::parse(text).value(), new_port);
  };
}

HttpError unexpected_error(const std::exception& error) {
  return {HttpFailure::connect, std::string("the request could not be made: ") + error.what()};
}

// Runs a task whose waits block.
template <typename T>
T run_blocking(Task<T> task) {
  task.start();
  return task.take();
}

}  // namespace

struct HttpClient::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::io_context& control_loop, std::shared_ptr<TrustStore> trust, const ProxySettings& proxies,
       const Log& log, const HttpClientHooks& hooks)
      : control(control_loop),
        dialer(std::move(trust), proxies, log, lookup_from(hooks), redirect_from(hooks)),
        sweep_timer(control_loop) {}

  // Makes sure that idle connections will be closed in time. Any thread.
  void look_after_idle() {
    if (sweeping.exchange(true)) return;
    asio::post(control, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->sweep_later();
    });
  }

  void sweep_later() {
    sweep_timer.expires_after(k_sweep_interval);
    sweep_timer.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (error || !self) return;
      const auto now = std::chrono::steady_clock::now();
      self->sweeping = false;
      const bool control_left = self->control_pool.sweep(now);
      const bool plugin_left = self->plugin_pool.sweep(now);
      if (control_left || plugin_left) self->look_after_idle();
    });
  }

  asio::io_context& control;
  Dialer dialer;
  // Connections of the control plane are watched by its loop, those of plugins by nobody while they are idle.
  ConnectionPool control_pool;
  ConnectionPool plugin_pool;
  asio::steady_timer sweep_timer;
  std::atomic<bool> sweeping{false};
  struct Fetch;
  std::set<std::shared_ptr<Fetch>> fetches;  ///< control thread only
};

// One fetch() on its way, kept alive by Impl::fetches.
struct HttpClient::Impl::Fetch : std::enable_shared_from_this<Fetch> {
  Fetch(std::shared_ptr<Impl> client, HttpRequest borrowed, SharedBody shared_body, Fetched on_done)
      : impl(std::move(client)),
        texts{std::string(borrowed.method),         std::string(borrowed.url),
              std::string(borrowed.ca_pem),         std::string(borrowed.client_certificate_pem),
              std::string(borrowed.client_key_pem), std::string(borrowed.server_name),
              std::string(borrowed.proxy)},
        body(std::move(shared_body)),
        request(std::move(borrowed)),
        done(std::move(on_done)),
        waiter(std::make_shared<LoopWaiter>(impl->control)),
        exchange(impl->dialer, impl->control_pool, EgressPolicy::unrestricted()) {
    request.method = texts[0];
    request.url = texts[1];
    request.ca_pem = texts[2];
    request.client_certificate_pem = texts[3];
    request.client_key_pem = texts[4];
    request.server_name = texts[5];
    request.proxy = texts[6];
    request.body.clear();
    if (request.has_body && body) request.body.emplace_back(*body);
  }

  void start() {
    task.emplace(run());
    task->start();
  }

  Task<bool> run() {
    try {
      auto sent = co_await exchange.send(*waiter, request);
      answer = sent ? Result<HttpAnswer, HttpError>(HttpAnswer()) : tl::unexpected(sent.error());
      if (sent) {
        // Memory that is not written to costs nothing, should the announcement be a lie.
        const uint64_t announced = exchange.announced_length().value_or(0);
        if (announced <= request.max_body_bytes) answer->body.reserve(std::min(announced, k_max_reserve));
      }
      while (answer) {
        const auto piece = co_await exchange.next(*waiter);
        if (!piece) {
          answer = tl::unexpected(piece.error());
        } else if (piece->empty()) {
          break;
        } else {
          answer->body.append(*piece);
        }
      }
    } catch (const std::exception& error) {
      answer = tl::unexpected(unexpected_error(error));
    }
    // Not from inside the coroutine, which ends here.
    asio::post(impl->control, [self = shared_from_this()] { self->finish(); });
    co_return true;
  }

  void finish() {
    if (!impl) return;
    const auto self = shared_from_this();
    const auto client = std::move(impl);
    waiter->forget();
    client->fetches.erase(self);
    client->look_after_idle();
    if (answer) answer->head = std::move(exchange.head());
    done(std::move(answer));
  }

  // Ends without a word.
  void abandon() {
    waiter->forget();
    task.reset();
    done = nullptr;
    impl.reset();
  }

  std::shared_ptr<Impl> impl;  ///< null once over
  std::array<std::string, 7> texts;
  SharedBody body;
  HttpRequest request;
  Fetched done;
  std::shared_ptr<LoopWaiter> waiter;
  HttpExchange exchange;
  Result<HttpAnswer, HttpError> answer;
  std::optional<Task<bool>> task;
};

namespace {

// An answer in the hands of a plugin.
class BlockingExchange final : public HttpClient::Exchange {
 public:
  BlockingExchange(std::shared_ptr<void> client, Dialer& dialer, ConnectionPool& pool,
                   const EgressPolicy& policy, std::stop_token cancelled)
      : client_(std::move(client)), exchange_(dialer, pool, policy), cancelled_(std::move(cancelled)) {}

  HttpResult<bool> send(const HttpRequest& request) {
    BlockingWaiter waiter(cancelled_);
    return run_blocking(exchange_.send(waiter, request));
  }

  const HttpResponseHead& head() const override { return exchange_.head(); }

  HttpResult<size_t> read(char* buffer, size_t capacity) override {
    if (capacity == 0) return 0;
    try {
      if (piece_.empty()) {
        BlockingWaiter waiter(cancelled_);
        const auto piece = run_blocking(exchange_.next(waiter));
        if (!piece) return tl::unexpected(piece.error());
        piece_ = *piece;
      }
    } catch (const std::exception& error) {
      return tl::unexpected(unexpected_error(error));
    }
    const size_t count = std::min(capacity, piece_.size());
    if (count > 0) std::memcpy(buffer, piece_.data(), count);
    piece_.remove_prefix(count);
    return count;
  }

 private:
  std::shared_ptr<void> client_;
  HttpExchange exchange_;
  std::stop_token cancelled_;
  std::string_view piece_;  ///< what is left of the last piece
};

}  // namespace

HttpClient::HttpClient(asio::io_context& control, std::shared_ptr<TrustStore> trust, ProxySettings proxies,
                       const Log& log, HttpClientHooks hooks)
    : impl_(std::make_shared<Impl>(control, std::move(trust), proxies, log, hooks)) {}

HttpClient::~HttpClient() {
  impl_->sweep_timer.cancel();
  for (const auto& fetch : std::exchange(impl_->fetches, {})) fetch->abandon();
}

void HttpClient::FetchHandle::cancel() {
  if (const auto fetch = std::static_pointer_cast<Impl::Fetch>(fetch_.lock())) fetch->waiter->cancel();
}

HttpClient::FetchHandle HttpClient::fetch(HttpRequest request, SharedBody body, Fetched done) {
  auto fetch = std::make_shared<Impl::Fetch>(impl_, std::move(request), std::move(body), std::move(done));
  impl_->fetches.insert(fetch);
  FetchHandle handle;
  handle.fetch_ = fetch;
  fetch->start();
  return handle;
}

HttpResult<std::unique_ptr<HttpClient::Exchange>> HttpClient::open(const HttpRequest& request,
                                                                   const EgressPolicy& policy,
                                                                   std::stop_token cancelled) {
  try {
    auto exchange = std::make_unique<BlockingExchange>(impl_, impl_->dialer, impl_->plugin_pool, policy,
                                                       std::move(cancelled));
    const auto sent = exchange->send(request);
    impl_->look_after_idle();
    if (!sent) return tl::unexpected(sent.error());
    return exchange;
  } catch (const std::exception& error) {
    return tl::unexpected(unexpected_error(error));
  }
}

HttpResult<std::vector<std::string>> HttpClient::resolve(std::string_view host, uint16_t,
                                                         const EgressPolicy& policy,
                                                         std::optional<SteadyTime> deadline,
                                                         std::stop_token cancelled) {
  try {
    const std::string name = to_lower(host);
    if (auto allowed = policy.check_host(name); !allowed) {
      return tl::unexpected(HttpError{HttpFailure::policy, allowed.error().message});
    }
    BlockingWaiter waiter(std::move(cancelled));
    const auto found =
        run_blocking(impl_->dialer.addresses(waiter, name, policy, deadline.value_or(k_never)));
    if (!found) return tl::unexpected(found.error());
    std::vector<std::string> texts;
    for (const auto& address : *found) texts.push_back(address.text());
    return texts;
  } catch (const std::exception& error) {
    return tl::unexpected(unexpected_error(error));
  }
}

}  // namespace par::core
