#pragma once

#include <chrono>

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

/// Asks the server to end what `connection` is running, on a thread of its own: libpq's call opens another
/// connection to the same address and waits for its end without a limit. Nobody waits for the thread; the
/// answer comes as the error of the running statement.
void request_cancel(PGconn* connection);

}  // namespace postgresql_plugin
