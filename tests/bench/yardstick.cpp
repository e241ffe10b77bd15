// The unit in which the benchmark counts CPU time: two ES256 signatures and one Ed25519 verification, which
// is the cryptography that one task cannot do without. Prints its CPU time in microseconds, the median of
// many rounds.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <vector>

#include <openssl/ec.h>
#include <openssl/evp.h>

namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
using Message = std::array<unsigned char, 300>;

void require(bool good) {
  if (good) return;
  std::fputs("bench_yardstick: OpenSSL refused an operation\n", stderr);
  std::exit(1);
}

std::vector<unsigned char> sign(EVP_PKEY* key, const EVP_MD* digest, const Message& message) {
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  require(EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key) == 1);
  std::vector<unsigned char> signature(128);
  size_t size = signature.size();
  require(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1);
  signature.resize(size);
  return signature;
}

void verify(EVP_PKEY* key, const std::vector<unsigned char>& signature, const Message& message) {
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  require(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1);
  require(EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                           message.size()) == 1);
}

double cpu_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

}  // namespace

int main() {
  const Key ec(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Key ed(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
  require(ec && ed);
  const Message message{};
  const auto signature = sign(ed.get(), nullptr, message);
  std::vector<double> rounds;
  for (int round = 0; round < 31; ++round) {
    constexpr int k_times = 50;
    const double begin = cpu_microseconds();
    for (int i = 0; i < k_times; ++i) {
      sign(ec.get(), EVP_sha256(), message);
      sign(ec.get(), EVP_sha256(), message);
      verify(ed.get(), signature, message);
    }
    rounds.push_back((cpu_microseconds() - begin) / k_times);
  }
  std::nth_element(rounds.begin(), rounds.begin() + 15, rounds.end());
  std::printf("%.1f\n", rounds[15]);
}
