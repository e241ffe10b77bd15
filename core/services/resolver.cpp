#include "core/services/resolver.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

namespace par::core {
namespace {

constexpr std::chrono::seconds k_idle_thread_life{5};

Resolver::Addresses system_lookup(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  int error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  // A machine with only a loopback interface has no "configured" family, yet may look up its own names.
  if (error == EAI_NONAME || error == EAI_ADDRFAMILY || error == EAI_NODATA) {
    hints.ai_flags = 0;
    error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  }
  if (error != 0) return fail(fmt::format("host '{}' cannot be resolved: {}", host, gai_strerror(error)));
  std::vector<IpAddress> addresses;
  for (const addrinfo* at = list; at; at = at->ai_next) {
    sockaddr_storage storage{};
    std::copy_n(reinterpret_cast<const char*>(at->ai_addr), std::min<size_t>(at->ai_addrlen, sizeof storage),
                reinterpret_cast<char*>(&storage));
    const auto address = IpAddress::from_socket_address(storage);
    if (address && std::find(addresses.begin(), addresses.end(), *address) == addresses.end()) {
      addresses.push_back(*address);
    }
  }
  freeaddrinfo(list);
  if (addresses.empty()) return fail(fmt::format("host '{}' has no address", host));
  return addresses;
}

}  // namespace

struct Resolver::Lookup::State {
  std::string host;
  mutable std::mutex mutex;
  std::function<void()> on_done;    ///< null once left behind
  std::optional<Addresses> result;  ///< never changes once set

  bool left_behind() const {
    const std::lock_guard lock(mutex);
    return !on_done;
  }
};

// Outlives the resolver while a lookup is stuck.
struct Resolver::Pool : std::enable_shared_from_this<Pool> {
  Function lookup;
  std::mutex mutex;
  std::condition_variable work;
  std::deque<std::shared_ptr<Lookup::State>> queue;
  size_t threads = 0;
  size_t idle = 0;
  bool closed = false;

  void add(std::shared_ptr<Lookup::State> state) {
    const std::lock_guard lock(mutex);
    queue.push_back(std::move(state));
    if (idle >= queue.size()) {
      work.notify_one();
    } else if (threads < k_max_threads) {
      std::thread([self = shared_from_this()] { self->run(); }).detach();
      ++threads;
    }
  }

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      ++idle;
      work.wait_for(lock, k_idle_thread_life, [&] { return closed || !queue.empty(); });
      --idle;
      if (closed || queue.empty()) break;
      const auto state = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      if (!state->left_behind()) {
        Addresses result = lookup(state->host);
        const std::lock_guard state_lock(state->mutex);
        state->result = std::move(result);
        if (state->on_done) state->on_done();
      }
      lock.lock();
    }
    --threads;
  }
};

Resolver::Lookup::~Lookup() {
  const std::lock_guard lock(state_->mutex);
  state_->on_done = nullptr;
}

const Resolver::Addresses* Resolver::Lookup::result() const {
  const std::lock_guard lock(state_->mutex);
  return state_->result ? &*state_->result : nullptr;
}

Resolver::Resolver(Function lookup) : pool_(std::make_shared<Pool>()) {
  pool_->lookup = lookup ? std::move(lookup) : system_lookup;
}

Resolver::~Resolver() {
  const std::lock_guard lock(pool_->mutex);
  pool_->closed = true;
  pool_->work.notify_all();
}

std::unique_ptr<Resolver::Lookup> Resolver::start(std::string_view host, std::function<void()> on_done) {
  auto state = std::make_shared<Lookup::State>();
  state->host = host;
  state->on_done = std::move(on_done);
  pool_->add(state);
  return std::unique_ptr<Lookup>(new Lookup(std::move(state)));
}

}  // namespace par::core
