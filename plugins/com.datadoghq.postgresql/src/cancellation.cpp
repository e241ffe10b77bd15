#include "cancellation.hpp"

#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace postgresql_plugin {
namespace {

using Cancel = std::unique_ptr<PGcancel, decltype(&PQfreeCancel)>;

// Servers that swallow packets hold a thread for minutes.
constexpr int k_most_threads = 32;
std::atomic<int> g_threads{0};

/// A request's share of the threads, and its session's mark that it is under way.
struct Slot {
  explicit Slot(std::shared_ptr<std::atomic<bool>> mark)
      : under_way(std::move(mark)), free(++g_threads <= k_most_threads) {}
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() {
    --g_threads;
    *under_way = false;
  }
  std::shared_ptr<std::atomic<bool>> under_way;
  bool free;
};

}  // namespace

CancelSignal::Event::Event() : descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor < 0) throw par::Error(PAR_INTERNAL, "no descriptor is left for an event");
}

CancelSignal::Event::~Event() {
  ::close(descriptor);
}

void CancelSignal::Signal::operator()() const {
  const uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(descriptor, &one, sizeof one);
}

CancelSignal::CancelSignal(const par::Call& call) : guard_(call.raw(), Signal{event_.descriptor}) {}

CancelSignal::~CancelSignal() = default;

void CancelRequests::send(PGconn* connection) {
  if (under_way_->exchange(true)) return;
  try {
    // Ends with the thread, or here if there is none.
    auto slot = std::make_unique<Slot>(under_way_);
    if (!slot->free) return;
    Cancel cancel(PQgetCancel(connection), PQfreeCancel);
    if (cancel == nullptr) return;
    std::thread([slot = std::move(slot), cancel = std::move(cancel)] {
      char error[256];
      PQcancel(cancel.get(), error, sizeof error);
    }).detach();
  } catch (const std::system_error&) {  // No thread: the statement's own time limit is left.
  }
}

}  // namespace postgresql_plugin
