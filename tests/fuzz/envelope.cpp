#include <memory>
#include <string>

#include <openssl/pem.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/base/openssl.hpp"
#include "core/channel/raw_task.hpp"
#include "core/identity/identity.hpp"
#include "core/verify/keys.hpp"
#include "core/verify/verified_task.hpp"
#include "core/verify/wire/task.pb.h"
#include "tests/fuzz/target.hpp"

using namespace par::core;

namespace {

/// The signer that the key set knows: whatever the fuzzer makes up is signed well, so that it reaches what
/// comes after the signature.
struct Signer {
  openssl::Key key;
  KeySet keys;

  Signer() {
    const std::string seed(32, '\x17');
    key.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, openssl::bytes(seed), seed.size()));
    const openssl::Bio pem = openssl::buffer();
    PEM_write_bio_PUBKEY(pem.get(), key.get());
    const std::string file =
        R"({"keyType":"ED25519","key":")" + base64_encode(openssl::content(pem)) + R"("})";
    auto verifying = VerifyingKey::from_json(file);
    PAR_FUZZ_REQUIRE(verifying.has_value());
    keys.add("key-1", std::move(*verifying));
  }

  std::string sign(const std::string& digest) const {
    const openssl::DigestContext context(EVP_MD_CTX_new());
    EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get());
    std::string signature(64, '\0');
    size_t size = signature.size();
    EVP_DigestSign(context.get(), openssl::bytes(signature), &size, openssl::bytes(digest), digest.size());
    return signature;
  }
};

}  // namespace

// The input is the data of an envelope.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Signer signer;
  static const RunnerUrn self{"us1", 4242, "runner-1"};
  const std::string bytes(par::fuzz::text(data, size));

  RawTask raw;
  raw.has_attributes = true;
  raw.envelope = SignedEnvelope{bytes, 1, {{2, "key-1", signer.sign(sha256(bytes))}}};
  par::wire::PrivateActionTask task;
  if (task.ParseFromString(bytes)) {
    raw.address.task_id = task.task_id();
    raw.address.action_fqn = task.bundle_id() + "." + task.action_name();
  }
  const auto verified =
      verify(std::move(raw), signer.keys, self, SystemTime(std::chrono::seconds(1'700'000'000)));
  if (!verified) {
    PAR_FUZZ_REQUIRE(!verified.error().message.empty());
    return 0;
  }
  const auto inputs = parse_json(verified->inputs_json());
  PAR_FUZZ_REQUIRE(inputs.has_value() && inputs->IsObject());
  return 0;
}
