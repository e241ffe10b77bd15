#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/services/ip_address.hpp"

namespace par::core {

/// Looks names up on threads of its own, since getaddrinfo() can neither be interrupted nor be given a time
/// limit: a lookup is waited for by others and can be left behind. A slow lookup delays no other until
/// k_max_threads are stuck, and threads that find nothing to do end after some seconds.
class Resolver {
 public:
  using Addresses = Result<std::vector<IpAddress>>;
  /// Stands in for getaddrinfo() in tests. Blocks, any thread.
  using Function = std::function<Addresses(const std::string& host)>;
  static constexpr size_t k_max_threads = 64;

  explicit Resolver(Function lookup = nullptr);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// One lookup on its way. Destroying it leaves it behind; `on_done` is not called from then on.
  class Lookup {
   public:
    ~Lookup();
    Lookup(const Lookup&) = delete;
    Lookup& operator=(const Lookup&) = delete;
    /// The result, or null as long as there is none.
    const Addresses* result() const;

   private:
    friend class Resolver;
    struct State;
    explicit Lookup(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
  };

  /// `on_done` is called once on a thread of the resolver and must not block.
  std::unique_ptr<Lookup> start(std::string_view host, std::function<void()> on_done);

 private:
  struct Pool;
  std::shared_ptr<Pool> pool_;
};

}  // namespace par::core
