#include "core/verify/tuf.hpp"

#include <array>
#include <string>

#include <fmt/format.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/base/strings.hpp"
#include "core/verify/remote_config_state.hpp"
#include "core/verify/tuf_test_repository.hpp"
#include "tests/fuzz/target.hpp"

using namespace par::core;

namespace {

constexpr SystemTime k_now{std::chrono::seconds(1'780'000'000)};

/// The signed part that the fuzzer made up, signed well; what cannot be signed goes in as it is.
std::string signed_by(std::string_view content, std::string_view letter) {
  const auto document = parse_json(content);
  if (!document || !canonical_json(*document)) return std::string(content);
  return testing::tuf_signed(content, letter);
}

/// Lines: root, timestamp, snapshot, targets. An empty one stands for the good document.
void update(std::string_view input) {
  static const testing::TestRepository good;
  static const std::string root = good.root();
  static const auto trusted = TufRepository::trust("config", root);
  static const std::array<std::string, 3> documents{good.timestamp(), good.snapshot(), good.targets()};
  PAR_FUZZ_REQUIRE(trusted.has_value());

  auto lines = split(input, '\n');
  lines.resize(4);
  const std::string new_root = lines[0].empty() ? std::string() : signed_by(lines[0], "r");
  std::array<std::string, 3> sent;
  for (size_t i = 0; i < sent.size(); ++i) {
    sent[i] =
        lines[i + 1].empty() ? documents[i] : signed_by(lines[i + 1], std::string_view("tsg").substr(i, 1));
  }
  TufDocuments update;
  if (!new_root.empty()) update.roots.push_back(new_root);
  update.timestamp = sent[0];
  update.snapshot = sent[1];
  update.targets = sent[2];
  const auto next = trusted->update(update, k_now);
  if (!next) {
    PAR_FUZZ_REQUIRE(!next.error().message.empty());
    return;
  }
  PAR_FUZZ_REQUIRE(next->root_version() >= trusted->root_version());
  for (const auto& [path, target] : next->targets()) PAR_FUZZ_REQUIRE(next->find(path) != nullptr);
}

}  // namespace

// The input is the signed parts of four documents, and also a whole answer of Remote Config.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto input = par::fuzz::text(data, size);
  update(input);
  RemoteConfigState state({"host", "client-1", "1.21.0", {}, 4242});
  const auto answer = state.apply(input, k_now);
  PAR_FUZZ_REQUIRE(answer.has_value() || !answer.error().message.empty());
  PAR_FUZZ_REQUIRE(!state.request(k_now).empty());
  return 0;
}
