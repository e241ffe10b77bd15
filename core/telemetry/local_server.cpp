#include "core/telemetry/local_server.hpp"

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <httplib.h>

#include "core/base/files.hpp"
#include "core/base/json.hpp"

namespace par::core {
namespace {

// A connection that says nothing holds a thread this long.
constexpr int k_silence_seconds = 2;
constexpr size_t k_max_threads = 64;
constexpr auto k_idle_life = std::chrono::seconds(5);

/// Makes a thread when a connection comes and no thread is free, so silent connections do not use up a fixed
/// pool; idle threads end, so a process that nobody probes has none.
class OnDemandThreads final : public httplib::TaskQueue {
 public:
  ~OnDemandThreads() override { shutdown(); }

  void enqueue(std::function<void()> job) override {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    if (idle_ >= jobs_.size() || threads_ == k_max_threads) {
      wake_.notify_one();
      return;
    }
    ++threads_;
    std::thread(&OnDemandThreads::work, this).detach();
  }

  void shutdown() override {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
    gone_.wait(lock, [this] { return threads_ == 0; });
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      const bool woken = wake_.wait_for(lock, k_idle_life, [this] { return stopping_ || !jobs_.empty(); });
      --idle_;
      if (!woken || jobs_.empty()) break;
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      lock.lock();
    }
    --threads_;
    // Under the lock, so that shutdown() cannot return (and this object go) before the notification is done.
    gone_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable gone_;
  std::deque<std::function<void()>> jobs_;
  size_t threads_ = 0;
  size_t idle_ = 0;
  bool stopping_ = false;
};

std::string report_body(const LocalServer::Report& report) {
  rapidjson::StringBuffer buffer;
  json::Writer writer(buffer);
  writer.StartObject();
  writer.Key("status");
  writer.String(report.ok ? "ok" : "unavailable");
  if (!report.reasons.empty()) {
    writer.Key("reasons");
    writer.StartArray();
    for (const std::string& reason : report.reasons) writer.String(reason);
    writer.EndArray();
  }
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

void answer(const LocalServer::Report& report, httplib::Response& response) {
  response.status = report.ok ? 200 : 503;
  response.set_content(report_body(report), "application/json");
}

// The library's default lets a second process share the port; an address in use must be seen.
void set_socket_options(socket_t socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

void set_seconds(Milliseconds time, const std::function<void(time_t, time_t)>& set) {
  set(static_cast<time_t>(time.count() / 1000), static_cast<time_t>(time.count() % 1000 * 1000));
}

/// The library listens with a backlog of five, so a burst of connections would make a probe's own wait for a
/// retransmission.
class ProbeServer final : public httplib::Server {
 public:
  void widen_backlog() { ::listen(svr_sock_, SOMAXCONN); }
};

}  // namespace

struct LocalServer::Impl {
  Settings settings;
  ProbeServer server;
  int port = 0;
  std::thread listener;
};

LocalServer::LocalServer() : impl_(std::make_unique<Impl>()) {}

LocalServer::~LocalServer() {
  impl_->server.stop();
  if (impl_->listener.joinable()) impl_->listener.join();
}

uint16_t LocalServer::port() const {
  return static_cast<uint16_t>(impl_->port);
}

Result<std::unique_ptr<LocalServer>> LocalServer::start(Settings settings) {
  std::unique_ptr<LocalServer> self(new LocalServer);
  Impl& impl = *self->impl_;
  impl.settings = std::move(settings);
  ProbeServer& server = impl.server;
  server.new_task_queue = [] { return new OnDemandThreads; };
  server.set_socket_options(set_socket_options);
  server.set_tcp_nodelay(true);
  server.set_keep_alive_max_count(1);
  server.set_keep_alive_timeout(k_silence_seconds);
  set_seconds(impl.settings.read_timeout, [&](time_t s, time_t us) { server.set_read_timeout(s, us); });
  set_seconds(impl.settings.write_timeout, [&](time_t s, time_t us) { server.set_write_timeout(s, us); });
  server.set_payload_max_length(0);

  const auto live = [&impl](const httplib::Request&, httplib::Response& response) {
    answer(impl.settings.liveness(), response);
  };
  const auto ready = [&impl](const httplib::Request&, httplib::Response& response) {
    answer(impl.settings.readiness(), response);
  };
  const auto metrics = [&impl](const httplib::Request&, httplib::Response& response) {
    response.status = 200;
    response.set_content(impl.settings.metrics(), "text/plain; version=0.0.4; charset=utf-8");
  };
  const std::string health_path = impl.settings.health_path;
  // One handler for all paths, since the library matches paths as regular expressions and has no 405 of its
  // own.
  server.set_pre_routing_handler([live, ready, metrics, health_path](const httplib::Request& request,
                                                                     httplib::Response& response) {
    const bool is_live = request.path == "/liveness" || request.path == health_path;
    const bool is_ready = request.path == "/readiness";
    const bool is_metrics = request.path == "/metrics";
    if (!is_live && !is_ready && !is_metrics) {
      response.status = 404;
      response.set_content(
          "{\"errors\":[\"this runner serves /liveness, /readiness, /metrics and its health check only\"]}\n",
          "application/json");
    } else if (request.method != "GET" && request.method != "HEAD") {
      response.status = 405;
      response.set_header("Allow", "GET, HEAD");
      response.set_content("{\"errors\":[\"use GET\"]}\n", "application/json");
    } else if (is_live) {
      live(request, response);
    } else if (is_ready) {
      ready(request, response);
    } else {
      metrics(request, response);
    }
    return httplib::Server::HandlerResponse::Handled;
  });

  for (const char* address : {"::", "0.0.0.0"}) {
    errno = 0;
    if (impl.settings.port == 0) {
      impl.port = server.bind_to_any_port(address);
    } else {
      impl.port = server.bind_to_port(address, impl.settings.port) ? impl.settings.port : -1;
    }
    if (impl.port > 0 || errno == EADDRINUSE) break;
  }
  if (impl.port <= 0) {
    return fail(fmt::format(
        "cannot listen on port {}: {}; set another `port` in config.yaml, or 0 for no local server",
        impl.settings.port, errno_text(errno)));
  }
  server.widen_backlog();
  impl.listener = std::thread([&server] { server.listen_after_bind(); });
  // stop() does nothing before the listener runs.
  while (!server.is_running()) std::this_thread::yield();
  return self;
}

}  // namespace par::core
