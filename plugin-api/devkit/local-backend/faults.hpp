#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.hpp"
#include "plugin-api/devkit/local-backend/server.hpp"

namespace par::backend {

/// Something that goes wrong on request: README.md, "A fault".
struct Fault {
  int64_t id = 0;
  std::string route = "*";
  std::optional<int64_t> times;  ///< how often it still strikes; absent: until cleared
  int64_t skip = 0;              ///< requests that pass first

  std::optional<int64_t> status;
  std::optional<std::string> body;
  std::optional<int64_t> oversize;
  std::optional<std::string> redirect;
  bool reset = false;
  bool close = false;
  int64_t delay_ms = 0;
  std::optional<int64_t> truncate;
  int64_t drip_ms = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  bool process = false;

  /// The real answer is not sent at all.
  bool replaces() const { return status || body || oversize || redirect || reset || close; }
  /// For the event log.
  std::string describe() const;
};

Result<Fault> parse_fault(const json::Value& value);

/// Changes `reply` to what the fault makes of it.
void apply(const Fault& fault, Reply& reply);

/// The faults in force, oldest first.
class Faults {
 public:
  int64_t add(Fault fault);
  /// The fault that strikes a request of `route`, counted down; nothing if it passes.
  std::optional<Fault> strike(std::string_view route);
  bool remove(int64_t id);
  void clear() { faults_.clear(); }
  const std::list<Fault>& all() const { return faults_; }

 private:
  std::list<Fault> faults_;
  int64_t last_id_ = 0;
};

/// Names that a fault or a delay may give as its route.
const std::vector<std::string>& route_names();
/// Error: a name that is not among them, with the nearest.
Result<void> check_route(const std::string& name);

}  // namespace par::backend
