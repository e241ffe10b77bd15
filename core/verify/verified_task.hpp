#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/channel/outcome.hpp"

namespace par::core {

class KeySet;
struct RawTask;
struct RunnerUrn;

/// One token of a connection, as signed.
struct ConnectionToken {
  enum class Kind { none, plain_text, file_secret, yaml_file };
  std::vector<std::string> name_segments;
  Kind kind = Kind::none;
  std::string value;  ///< the text, or the path of a credential file
};

/// The connection of a task, as signed.
struct ConnectionInfo {
  std::string connection_id;
  int credentials_type =
      0;  ///< 0 unspecified, 1 TOKEN_AUTH, 2 BASIC_AUTH, 3 OAUTH2; others are kept as numbers
  std::string runner_id;
  std::vector<ConnectionToken> tokens;
};

/// A task whose signature, expiry, organisation and runner have been checked. Everything but the job id comes
/// from the signed bytes. Only verify() makes one.
class VerifiedTask {
 public:
  const TaskAddress& address() const { return address_; }
  const std::string& bundle_id() const { return bundle_id_; }
  const std::string& action_name() const { return action_name_; }
  const std::string& sec_datadog_header() const { return sec_datadog_header_; }
  const std::string& inputs_json() const { return inputs_json_; }
  const ConnectionInfo& connection() const { return connection_; }
  SystemTime expires() const { return expires_; }
  /// Gives away the inputs, which may be megabytes.
  std::string take_inputs_json() { return std::move(inputs_json_); }

 private:
  friend Result<VerifiedTask, Failure> verify(RawTask&& raw, const KeySet& keys, const RunnerUrn& self,
                                              SystemTime now);
  VerifiedTask() = default;

  TaskAddress address_;
  std::string bundle_id_;
  std::string action_name_;
  std::string sec_datadog_header_;
  std::string inputs_json_;
  ConnectionInfo connection_;
  SystemTime expires_;
};

/// Checks the envelope of `raw` in the protocol's order: present, data, signatures, hash type, parses, expiry
/// present, not expired at `now`, key known, key type, signature, organisation, runner; then that the outer
/// task id and action name equal the signed ones (code 5). The failure names the check, and what to do where
/// the operator can do it.
Result<VerifiedTask, Failure> verify(RawTask&& raw, const KeySet& keys, const RunnerUrn& self,
                                     SystemTime now);

}  // namespace par::core
