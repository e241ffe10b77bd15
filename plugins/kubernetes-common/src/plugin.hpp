#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <par/plugin.hpp>

#include "connections.hpp"
#include "verbs.hpp"

namespace kubernetes {

/// The plugin of a bundle: every action that follows from the tables of kinds and verbs.
class Plugin {
 public:
  explicit Plugin(std::string_view bundle);

  void run(const par::Request& request, par::Call& call) const;
  void test_connection(const par::Request& request, par::Call& call) const;

 private:
  std::map<std::string, std::pair<const Kind*, const VerbRow*>, std::less<>> actions_;
  mutable Connections connections_;
};

}  // namespace kubernetes
