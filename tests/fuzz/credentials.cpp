#include "core/credentials/credential_file.hpp"
#include "tests/fuzz/target.hpp"

using namespace par::core;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = CredentialFile::parse(std::string(par::fuzz::text(data, size)));
  if (!file) {
    PAR_FUZZ_REQUIRE(!file.error().message.empty());
    return 0;
  }
  for (const auto& name : file->names()) PAR_FUZZ_REQUIRE(file->find(name) != nullptr);
  return 0;
}
