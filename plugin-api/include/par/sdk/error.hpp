#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include <par/plugin.h>

namespace par {

inline std::string_view view(par_str text) {
  return text.len == 0 ? std::string_view() : std::string_view(text.ptr, text.len);
}
inline std::string_view view(par_bytes bytes) {
  return bytes.len == 0 ? std::string_view()
                        : std::string_view(reinterpret_cast<const char*>(bytes.ptr), bytes.len);
}
inline par_str to_str(std::string_view text) {
  return {text.data(), text.size()};
}
inline par_bytes to_bytes(std::string_view bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

/// Why an action failed. Throw it from an action or from the constructor of a plugin; services throw it too.
class Error : public std::exception {
 public:
  /// `message` is the detail for those who run the runner, `display` what the user of the workflow sees;
  /// empty means the same text.
  explicit Error(std::string message, std::string display = {})
      : Error(PAR_ERROR, std::move(message), std::move(display)) {}
  Error(par_status status, std::string message, std::string display = {})
      : status_(status), message_(std::move(message)), display_(std::move(display)) {}

  /// PAR_ERROR for a failure of the action itself, else what a service answered: PAR_POLICY, PAR_CONNECT, ...
  par_status status() const noexcept { return status_; }
  const std::string& message() const noexcept { return message_; }
  const std::string& display() const noexcept { return display_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  par_status status_;
  std::string message_;
  std::string display_;
};

/// What a status means, for texts.
inline const char* describe(par_status status) noexcept {
  switch (status) {
    case PAR_OK:
      return "success";
    case PAR_ERROR:
      return "failed";
    case PAR_INTERNAL:
      return "internal error";
    case PAR_CANCELLED:
      return "cancelled";
    case PAR_DEADLINE:
      return "time limit exceeded";
    case PAR_LIMIT:
      return "larger than the limit";
    case PAR_BAD_RESULT:
      return "the result is not one JSON object in valid UTF-8";
    case PAR_INVALID:
      return "the plugin broke the contract of a host function";
    case PAR_UNSUPPORTED:
      return "not supported by this host";
    case PAR_POLICY:
      return "refused by the runner's policy";
    case PAR_RESOLVE:
      return "the host name could not be resolved";
    case PAR_CONNECT:
      return "no connection, or it was lost";
    case PAR_TLS:
      return "TLS handshake or certificate check failed";
    case PAR_PROTOCOL:
      return "the peer sent something malformed";
    case PAR_SPAWN:
      return "the program could not be started";
    default:
      return "unknown status";
  }
}

namespace detail {

/// True if the table exists and reaches to its last member of version 1.0.
template <typename Table>
bool complete(const Table* table) {
  return table != nullptr && table->struct_size >= sizeof(Table);
}

/// Throws what a service answered, with the host's text if it gave one.
[[noreturn]] inline void raise(par_status status, par_str text) {
  throw Error(status, text.len == 0 ? std::string(describe(status)) : std::string(view(text)));
}

/// Ends the use of an object of the host: `release(call, object)` of its service.
template <typename Service, typename Object, void (*Service::*release)(const par_call*, Object*)>
class Owned {
 public:
  Owned(const par_call* call, const Service* service, Object* object)
      : call_(call), service_(service), object_(object) {}
  Owned(Owned&& other) noexcept
      : call_(other.call_), service_(other.service_), object_(std::exchange(other.object_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(call_, other.call_);
    std::swap(service_, other.service_);
    std::swap(object_, other.object_);
    return *this;
  }
  ~Owned() {
    if (object_ != nullptr) (service_->*release)(call_, object_);
  }

  Object* get() const { return object_; }
  const par_call* call() const { return call_; }
  const Service* service() const { return service_; }

  /// Throws if the host gave no object or one that says why there is nothing.
  void check(par_status status) const {
    if (object_ == nullptr) raise(status == PAR_OK ? PAR_INTERNAL : status, {});
    if (status != PAR_OK) raise(status, object_->failure_text);
    if (object_->failure != PAR_OK) raise(object_->failure, object_->failure_text);
  }

 private:
  const par_call* call_;
  const Service* service_;
  Object* object_;
};

}  // namespace detail
}  // namespace par
