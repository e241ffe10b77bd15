#pragma once

#include <map>
#include <string>

#include "core/verify/tuf_test_repository.hpp"
#include "core/verify/wire/remote_config.pb.h"

namespace par::core::testing {

// A backend with the same files in both repositories unless a test says otherwise.
struct Backend {
  static constexpr const char* k_path = "datadog/4242/AP_RUNNER_KEYS/key-a/config";
  TestRepository config, director;
  std::map<std::string, std::string> sent;

  explicit Backend(const std::map<std::string, std::string>& files = {{k_path, Ed25519Signer('a').json()}}) {
    set_files(files);
  }

  void set_files(const std::map<std::string, std::string>& files) {
    config.files = director.files = sent = files;
  }

  void next_version() {
    for (auto* repository : {&config, &director}) {
      ++repository->targets_version;
      ++repository->snapshot_version;
      ++repository->timestamp_version;
    }
  }

  wire::LatestConfigsResponse message() const {
    wire::LatestConfigsResponse answer;
    auto& config_metas = *answer.mutable_config_metas();
    auto& director_metas = *answer.mutable_director_metas();
    config_metas.add_roots()->set_raw(config.root());
    config_metas.mutable_timestamp()->set_raw(config.timestamp());
    config_metas.mutable_snapshot()->set_raw(config.snapshot());
    config_metas.mutable_top_targets()->set_raw(config.targets());
    director_metas.add_roots()->set_raw(director.root());
    director_metas.mutable_timestamp()->set_raw(director.timestamp());
    director_metas.mutable_snapshot()->set_raw(director.snapshot());
    director_metas.mutable_targets()->set_raw(director.targets());
    for (const auto& [path, raw] : sent) {
      auto& file = *answer.add_target_files();
      file.set_path(path);
      file.set_raw(raw);
    }
    return answer;
  }
  std::string answer() const { return message().SerializeAsString(); }
};

}  // namespace par::core::testing
