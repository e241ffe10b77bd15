#include "core/plugin/manifest.hpp"

#include "core/plugin/elf_section.hpp"
#include "tests/fuzz/target.hpp"

using namespace par::core;

namespace {

void parse(std::string_view text) {
  const auto manifest = Manifest::parse(text);
  if (!manifest) {
    PAR_FUZZ_REQUIRE(!manifest.error().message.empty());
    return;
  }
  for (const auto& action : manifest->actions)
    PAR_FUZZ_REQUIRE(manifest->find_action(action.name) != nullptr);
}

}  // namespace

// The input is a library with a manifest in it, or the manifest alone.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto input = par::fuzz::text(data, size);
  const auto section = find_manifest(size, [input](uint64_t offset, uint64_t count) -> Result<std::string> {
    PAR_FUZZ_REQUIRE(offset <= input.size() && count <= input.size() - offset);
    return std::string(input.substr(offset, count));
  });
  parse(section ? std::string_view(*section) : input);
  return 0;
}
