#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include <libpq-fe.h>
#include <par/plugin.hpp>

namespace postgresql_plugin {

/// A file descriptor that becomes readable when a call is cancelled, for poll().
class CancelSignal {
 public:
  /// Throws PAR_CANCELLED if the call is cancelled already.
  explicit CancelSignal(const par::Call& call);
  CancelSignal(const CancelSignal&) = delete;
  CancelSignal& operator=(const CancelSignal&) = delete;
  ~CancelSignal();

  int descriptor() const { return event_.descriptor; }

 private:
  struct Event {
    Event();
    ~Event();
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    int descriptor;
  };
  struct Signal {
    int descriptor;
    void operator()() const;
  };

  Event event_;
  par::CancelGuard<Signal> guard_;  // ends before the event
};

/// The cancel requests of one session. Each runs on a thread of its own: libpq's call opens another
/// connection to the same address and waits for its end without a limit. Nobody waits for the thread; the
/// answer comes as the error of the running statement.
class CancelRequests {
 public:
  /// Asks the server to end what `connection` is running. Does nothing while an earlier request of this
  /// object is under way, or while the whole plugin has as many threads for requests as it may have.
  void send(PGconn* connection);

 private:
  std::shared_ptr<std::atomic<bool>> under_way_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace postgresql_plugin
