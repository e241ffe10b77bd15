#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <par/plugin.h>

#include "core/plugin/cancel_functions.hpp"
#include "plugin-api/devkit/par-plugin/memory.hpp"
#include "plugin-api/devkit/par-plugin/peer.hpp"
#include "plugin-api/devkit/par-plugin/subject.hpp"

namespace par::kit {

/// How the checking host behaves: always as the ABI allows, seldom as a plugin would like it.
struct Behaviour {
  TableForm tables = TableForm::plain;
  bool services = true;              ///< false: service() answers null
  par_status failure = PAR_OK;       ///< what every service operation answers
  bool fail_reads_only = false;      ///< operations begin well, their reads fail
  bool block = false;                ///< operations of services end at cancel only
  bool waits_pass = true;            ///< wait() lets its time pass at once, a minute in all, and then cancels
  std::optional<Answer> hostile;     ///< in place of what the sample says, for services of its kind
  size_t hostile_from = 0;           ///< at this use of a service and all later ones
  const PeerScript* peer = nullptr;  ///< who is reached under each name, in place of the hosts of the call
  uint64_t max_result_bytes = 15u << 20;
  bool cancelled = false;  ///< from the start
  std::optional<std::chrono::milliseconds> cancel_after;
  std::optional<std::chrono::milliseconds> limit;
};

class Call;

/// The par_host of one plugin and what it was told.
class Host {
 public:
  Host(const Behaviour& behaviour, const std::vector<std::string>& services);
  const par_host* abi() const { return abi_.get(); }
  std::vector<std::string> log() const;
  std::vector<std::string> secrets() const;
  const Behaviour& behaviour() const { return behaviour_; }

 private:
  const Behaviour& behaviour_;
  std::vector<std::string> services_;
  mutable std::mutex mutex_;
  std::vector<std::string> log_;
  std::vector<std::string> secrets_;
  Table<par_host> abi_;
};

/// One par_call and what the plugin did with it.
class Call {
 public:
  /// `behaviour` and `hosts` live as long as the call.
  Call(const Behaviour& behaviour, std::vector<Answer> answers,
       const std::map<std::string, std::string>& hosts);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const par_call* abi() const { return abi_.get(); }
  static Call& of(const par_call* call) { return *static_cast<Call*>(call->host_data); }

  /// What the plugin told until now.
  struct Report {
    std::optional<std::string> result;
    par_status refusal = PAR_OK;  ///< the last answer of result() that was not PAR_OK
    std::string refusal_text;
    bool described = false;
    std::string message, display;
    std::vector<std::string> secrets;
    size_t functions_left = 0;
    size_t objects_left = 0;
    size_t released_twice = 0;
    size_t names = 0;          ///< that it asked par.net/1 for
    size_t peers = 0;          ///< that it was led to by Behaviour::peer
    std::vector<size_t> uses;  ///< of services, each as the index of its kind of Answer
    std::string misfit;        ///< a use for which the sample has an answer of another kind
  };
  /// After execute: ends the call.
  Report finish();
  /// Afterwards no use of abi() goes unnoticed.
  void forbid() { abi_.forbid(); }

  void cancel();
  int32_t state() const;
  /// PAR_CANCELLED at cancel, else PAR_OK when `time` has passed for the plugin.
  par_status wait(std::chrono::milliseconds time);

  // For services.

  const Behaviour& behaviour() const { return behaviour_; }
  /// The address where that name is to be dialled; empty: the policy refuses it.
  std::string address_of(const std::string& host, uint16_t port);
  HttpAnswer http_answer() { return next_answer<HttpAnswer>(); }
  ProcessAnswer process_answer() { return next_answer<ProcessAnswer>(); }
  /// PAR_CANCELLED, at cancel.
  par_status wait_for_cancel();
  void handed_out(std::shared_ptr<void> object);
  /// Null if the call does not hold it.
  std::shared_ptr<void> take_back(const void* object);

 private:
  static par_call functions(Call* self);
  int64_t remaining_ms() const;
  template <typename Kind>
  Kind next_answer();

  const Behaviour& behaviour_;
  std::vector<Answer> answers_;
  const std::map<std::string, std::string>& hosts_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::chrono::milliseconds passed_{0};  ///< by waits that took no time
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool cancelled_ = false;
  bool finished_ = false;
  std::vector<std::shared_ptr<void>> objects_;
  std::vector<std::unique_ptr<Peer>> peers_;
  Report report_;
  core::CancelFunctions cancel_functions_;
  Table<par_call> abi_;
  std::thread clock_;
};

/// The tables of the services that the checking host has; null for another id.
const void* find_service(std::string_view id, TableForm form);

/// A plugin's view of text.
inline par_str borrow(std::string_view text) {
  return {text.data(), text.size()};
}
inline std::string copy(par_str text) {
  return text.len == 0 ? std::string() : std::string(text.ptr, text.len);
}

}  // namespace par::kit
