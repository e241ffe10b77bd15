#include "cancellation.hpp"

#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace postgresql_plugin {

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

void request_cancel(PGconn* connection) {
  using Cancel = std::unique_ptr<PGcancel, decltype(&PQfreeCancel)>;
  Cancel cancel(PQgetCancel(connection), PQfreeCancel);
  if (cancel == nullptr) return;
  try {
    std::thread([cancel = std::move(cancel)] {
      char error[256];
      PQcancel(cancel.get(), error, sizeof error);
    }).detach();
  } catch (const std::system_error&) {  // No thread: the statement's own time limit is left.
  }
}

}  // namespace postgresql_plugin
