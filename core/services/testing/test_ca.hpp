#pragma once

#include <string>
#include <vector>

namespace par::core::testing {

/// A certificate with its key, as PEM.
struct Certificate {
  std::string certificate;
  std::string key;
};

/// A certificate authority made at run time, for one test.
class TestCa {
 public:
  TestCa();
  const std::string& pem() const { return ca_.certificate; }
  /// A certificate for these names and numeric addresses. `days` counts from now; a negative number has
  /// expired.
  Certificate issue(const std::vector<std::string>& names, int days = 2) const;

 private:
  Certificate ca_;
};

}  // namespace par::core::testing
