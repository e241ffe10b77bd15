#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "plugin-api/devkit/local-backend/crypto.hpp"

namespace par::backend {

struct Request;

/// A runner that was enrolled here.
struct EnrolledRunner {
  std::string id;
  std::string name;
  Key public_key;
  std::vector<std::string> modes;
};

/// Why an enrollment is refused, and with which status.
struct EnrollmentRefusal {
  int status = 400;
  std::string reason;
};

/// Datadog's side of enrolling runners, with the checks that it makes before it makes a runner.
class Enrollment {
 public:
  Enrollment(std::vector<EnrolledRunner> runners, std::string api_key, std::string app_key)
      : runners_(std::move(runners)), api_key_(std::move(api_key)), app_key_(std::move(app_key)) {}

  /// A new one-time token, and what the runner that comes with it will be.
  struct TokenSpec {
    std::vector<std::string> modes{"pull"};
    std::vector<std::string> actions;
    int64_t expires_in_seconds = 300;
  };
  std::string new_token(TokenSpec spec);

  /// What a runner that was just made is told.
  struct Made {
    const EnrolledRunner* runner = nullptr;
    std::optional<std::vector<std::string>> actions;  ///< of the token
  };
  /// An enrollment with a one-time token: the signature over the request and its URL by the key that it
  /// brings, and the binding of that key to a token that is open. `url` is where the request really went.
  Result<Made, EnrollmentRefusal> with_token(const Request& request, std::string_view url);
  /// An enrollment with API and application key.
  Result<Made, EnrollmentRefusal> with_keys(const Request& request);

  /// Lets a runner in that was enrolled elsewhere: the id of its URN and the public JWK of its key. Error: a
  /// JWK that is not one of an ES256 key, or an id that is there already.
  Result<const EnrolledRunner*> adopt(std::string id, const json::Value& jwk);

  const std::vector<EnrolledRunner>& runners() const { return runners_; }
  const std::string& api_key() const { return api_key_; }
  const std::string& app_key() const { return app_key_; }

  std::optional<int64_t> most_runners;  ///< the organisation's quota
  bool may_enroll = true;               ///< the application key has the scope

 private:
  struct Token {
    TokenSpec spec;
    std::string binding_key;
    core::SystemTime expires;
    bool used = false;
  };
  Result<Token*, EnrollmentRefusal> bound_token(std::string_view binding, const std::string& jwk,
                                                core::SystemTime now);
  const EnrolledRunner& add(std::string name, Key key, std::vector<std::string> modes);

  std::vector<EnrolledRunner> runners_;
  std::string api_key_;
  std::string app_key_;
  std::map<std::string, Token, std::less<>> tokens_;  ///< by fingerprint
};

}  // namespace par::backend
