#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/base/openssl.hpp"
#include "core/base/secret.hpp"
#include "core/base/strings.hpp"
#include "core/identity/identity.hpp"

namespace par::core {
namespace {

constexpr size_t k_coordinate = 32;  // bytes of a P-256 field element
constexpr size_t k_max_jwk = 16 * 1024;

// Wipes a buffer that others only look at.
class WipedBuffer {
 public:
  explicit WipedBuffer(std::string taken) : text(std::move(taken)) {}
  ~WipedBuffer() { wipe(text.data(), text.size()); }
  WipedBuffer(const WipedBuffer&) = delete;
  WipedBuffer& operator=(const WipedBuffer&) = delete;

  std::string text;
};

// The members of a JWK that matter, as views into the buffer that is parsed in place: no copy of d is made.
class JwkReader : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, JwkReader> {
 public:
  std::optional<std::string_view> kty, crv, x, y, d;
  const char* refusal = nullptr;

  bool Default() { return depth_ > 0; }
  bool StartObject() { return ++depth_ > 0; }
  bool EndObject(rapidjson::SizeType) { return depth_-- > 0; }
  bool StartArray() { return depth_++ > 0; }
  bool EndArray(rapidjson::SizeType) { return depth_-- > 0; }
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    member_ = depth_ == 1 ? slot({text, length}) : nullptr;
    if (member_ != nullptr && *member_) refusal = "a member stands twice";
    return refusal == nullptr;
  }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    if (depth_ == 1 && member_ != nullptr) *member_ = std::string_view(text, length);
    return depth_ > 0;
  }

 private:
  std::optional<std::string_view>* slot(std::string_view name) {
    if (name == "kty") return &kty;
    if (name == "crv") return &crv;
    if (name == "x") return &x;
    if (name == "y") return &y;
    if (name == "d") return &d;
    return nullptr;
  }

  int depth_ = 0;
  std::optional<std::string_view>* member_ = nullptr;
};

Result<Secret> coordinate(std::string_view name, std::string_view text) {
  auto bytes = base64_decode(text);
  if (!bytes) return fail(fmt::format("the JWK's {} is not base64url", name));
  Secret secret(std::move(*bytes));
  if (secret.reveal().size() != k_coordinate) {
    return fail(
        fmt::format("the JWK's {} has {} bytes, expected {}", name, secret.reveal().size(), k_coordinate));
  }
  return secret;
}

// Makes a P-256 key from an uncompressed point and, for a key pair, the private number. Null if OpenSSL
// refuses.
openssl::Key import_key(std::string_view point, const BIGNUM* d) {
  const openssl::ParamsBuilder builder(OSSL_PARAM_BLD_new());
  const openssl::KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  if (!builder || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) !=
          1 ||
      (d != nullptr && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, d) != 1)) {
    return nullptr;
  }
  const openssl::Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  EVP_PKEY* key = nullptr;
  if (!params || EVP_PKEY_fromdata(context.get(), &key, d == nullptr ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR,
                                   params.get()) != 1) {
    return nullptr;
  }
  return openssl::Key(key);
}

// The private number must be the one that made the point; importing does not check it.
bool fits_together(EVP_PKEY* key) {
  const openssl::KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context && EVP_PKEY_pairwise_check(context.get()) == 1;
}

// OpenSSL fails here only when memory is short or the library is broken.
void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(fmt::format("OpenSSL could not {}", what));
}

// A number of the key as 32 raw bytes.
std::string coordinate_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  require(EVP_PKEY_get_bn_param(key, name, &number) == 1, "read its own key");
  const openssl::BigNumber owner(number);
  std::string raw(k_coordinate, '\0');
  require(BN_bn2binpad(number, openssl::bytes(raw), k_coordinate) == k_coordinate, "read its own key");
  return raw;
}

}  // namespace

struct PrivateKey::Key {
  openssl::Key key;
  std::string x;  // raw, for the thumbprint
  std::string y;
};

PrivateKey::PrivateKey(std::unique_ptr<Key> key) : key_(std::move(key)) {}
PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;
PrivateKey::~PrivateKey() = default;

Result<PrivateKey> PrivateKey::from_config(std::string_view text) {
  const auto refuse = [](std::string_view what) { return fail(fmt::format("privateKey: {}", what)); };
  text = trim(text);
  if (text.empty()) return refuse("it is empty; expected the runner's JWK in base64url");
  if (text.starts_with("-----BEGIN")) return refuse("it is a PEM text; expected a JWK in base64url");
  if (text.size() > k_max_jwk)
    return refuse(fmt::format("it has {} bytes, far more than a JWK", text.size()));

  auto decoded = base64_decode(text);
  if (!decoded) return refuse("it is not base64url (is it cut off, or wrapped over several lines?)");
  WipedBuffer jwk(std::move(*decoded));
  if (jwk.text.find('\0') != std::string::npos) return refuse("it does not hold a JWK (a JSON object)");
  JwkReader reader;
  std::string error;
  if (!par::json::parse_in_place(jwk.text.data(), jwk.text.size(), reader, error)) {
    return refuse(reader.refusal != nullptr ? fmt::format("in its JWK {}", reader.refusal)
                                            : std::string("it does not hold a JWK (a JSON object)"));
  }

  const std::pair<const char*, const std::optional<std::string_view>*> needed[] = {
      {"kty", &reader.kty}, {"crv", &reader.crv}, {"x", &reader.x}, {"y", &reader.y}, {"d", &reader.d}};
  for (const auto& [name, value] : needed) {
    if (!*value) return refuse(fmt::format("its JWK has no text member '{}'", name));
  }
  if (*reader.kty != "EC") return refuse("its JWK has another kty than EC");
  if (*reader.crv != "P-256") return refuse("its JWK has another curve (crv) than P-256");
  const auto x = coordinate("x", *reader.x);
  if (!x) return refuse(x.error().message);
  const auto y = coordinate("y", *reader.y);
  if (!y) return refuse(y.error().message);
  const auto d = coordinate("d", *reader.d);
  if (!d) return refuse(d.error().message);

  std::string point("\x04");
  point.append(x->reveal()).append(y->reveal());
  if (!import_key(point, nullptr)) {
    ERR_clear_error();
    return refuse("the point (x, y) of its JWK is not on the curve P-256");
  }
  const openssl::BigNumber number(BN_secure_new());
  if (!number ||
      BN_bin2bn(openssl::bytes(d->reveal()), static_cast<int>(d->reveal().size()), number.get()) == nullptr) {
    return refuse("out of memory");
  }
  auto key = import_key(point, number.get());
  if (!key || !fits_together(key.get())) {
    ERR_clear_error();
    return refuse("the private number d of its JWK does not belong to the point (x, y)");
  }
  return PrivateKey(
      std::make_unique<Key>(Key{std::move(key), std::string(x->reveal()), std::string(y->reveal())}));
}

PrivateKey PrivateKey::generate() {
  openssl::Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  require(key != nullptr, "make a key");
  std::string x = coordinate_of(key.get(), OSSL_PKEY_PARAM_EC_PUB_X);
  std::string y = coordinate_of(key.get(), OSSL_PKEY_PARAM_EC_PUB_Y);
  return PrivateKey(std::make_unique<Key>(Key{std::move(key), std::move(x), std::move(y)}));
}

std::string PrivateKey::sign_es256(std::string_view message) const {
  const openssl::DigestContext context(EVP_MD_CTX_new());
  std::array<unsigned char, 128> der{};  // a P-256 signature has at most 72 bytes
  size_t size = der.size();
  require(context &&
              EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key_->key.get(),
                                    nullptr) == 1 &&
              EVP_DigestSign(context.get(), der.data(), &size, openssl::bytes(message), message.size()) == 1,
          "sign");
  const unsigned char* at = der.data();
  const openssl::EcdsaSignature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  std::string raw(2 * k_coordinate, '\0');
  unsigned char* const out = openssl::bytes(raw);
  require(
      signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, k_coordinate) == k_coordinate &&
          BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + k_coordinate, k_coordinate) == k_coordinate,
      "read its own signature");
  return raw;
}

std::string PrivateKey::thumbprint() const {
  return base64url_encode(sha256(fmt::format(R"({{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}})",
                                             base64url_encode(key_->x), base64url_encode(key_->y))));
}

std::string PrivateKey::public_pem() const {
  const openssl::Bio bio = openssl::buffer();
  require(bio && PEM_write_bio_PUBKEY(bio.get(), key_->key.get()) == 1, "write the public key");
  return openssl::content(bio);
}

std::string PrivateKey::public_jwk() const {
  return fmt::format(R"({{"alg":"ES256","crv":"P-256","kid":"{}","kty":"EC","use":"sig","x":"{}","y":"{}"}})",
                     thumbprint(), base64url_encode(key_->x), base64url_encode(key_->y));
}

Secret PrivateKey::config_text() const {
  const Secret number(coordinate_of(key_->key.get(), OSSL_PKEY_PARAM_PRIV_KEY));
  const Secret d(base64url_encode(number.reveal()));
  std::string public_part = public_jwk();
  public_part.pop_back();  // its closing brace
  const Secret jwk(fmt::format(R"({},"d":"{}"}})", public_part, d.reveal()));
  return Secret(base64url_encode(jwk.reveal()));
}

}  // namespace par::core
