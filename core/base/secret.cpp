#include "core/base/secret.hpp"

#include <utility>

#include <openssl/crypto.h>

namespace par::core {

void wipe(void* data, size_t size) noexcept {
  OPENSSL_cleanse(data, size);
}

// A short string lives inside the object, so moving one copies it and leaves the bytes behind: it is copied,
// and wiped while its length is still known.
Secret::Secret(std::string text) noexcept {
  if (text.size() < sizeof(std::string)) {
    text_ = text;
    wipe(text.data(), text.size());
  } else {
    text_ = std::move(text);
  }
}

Secret::Secret(const Secret& other) = default;

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    clear();
    text_ = other.text_;
  }
  return *this;
}

Secret::Secret(Secret&& other) noexcept
    : text_(other.text_.size() < sizeof(std::string) ? std::string(other.text_) : std::move(other.text_)) {
  other.clear();
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    clear();
    text_.swap(other.text_);
  }
  return *this;
}

Secret::~Secret() {
  clear();
}

void Secret::clear() noexcept {
  wipe(text_.data(), text_.capacity());
  text_.clear();
}

}  // namespace par::core
