#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace kubernetes {

/// How one API server is reached and who we are there: everything a request needs.
struct Cluster {
  std::string server;  ///< absolute URL without a '/' at its end; may have a path
  std::string origin;  ///< where this comes from, for error texts: "context \"a\" of /home/x/.kube/config"
  std::string ca_pem;  ///< empty: the roots that the runner trusts
  std::string certificate_pem;
  std::string key_pem;
  std::string server_name;
  std::string proxy;
  std::string authorization;                                       ///< header, empty: none
  std::string secret;                                              ///< the token or password in it
  std::vector<std::pair<std::string, std::string>> impersonation;  ///< headers
  bool verify = true;
  bool compress = true;
  uint64_t exec_generation = 0;  ///< which of the credentials that the plugin made
  std::string exec_key;  ///< of the exec plugin that made the credentials, in ExecCredentials; empty: none

  void set_token(const std::string& token) {
    authorization = "Bearer " + token;
    secret = token;
  }
};

}  // namespace kubernetes
