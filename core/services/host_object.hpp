#pragma once

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include <par/plugin.h>

#include "core/services/call_scope.hpp"
#include "core/services/service_tables.hpp"

namespace par::core {

/// What a service hands out: the C struct that the plugin sees, with what its pointers point to. Filled out
/// on failure too.
template <typename Shown>
struct HostObject : Shown {
  HostObject() : Shown{} { this->struct_size = sizeof(Shown); }
  HostObject(const HostObject&) = delete;
  HostObject& operator=(const HostObject&) = delete;

  par_status fail(par_status status, std::string text) {
    text_ = std::move(text);
    this->failure = status;
    this->failure_text = to_par_str(text_);
    return status;
  }

 private:
  std::string text_;
};

/// For a call that cannot own anything.
template <typename Shown>
Shown* no_call_object() {
  static HostObject<Shown> object;
  [[maybe_unused]] static const par_status k_status = object.fail(PAR_INVALID, "the call is a null pointer");
  return &object;
}

/// Runs `fill(object, scope)` on a new `Object` (a HostObject of `Shown`) that belongs to the call, and shows
/// it in any case. What `fill` throws becomes a failure of kind `unexpected`.
template <typename Object, typename Shown, typename Fill>
par_status provide(const par_call* call, Shown** out, par_status unexpected, Fill fill) {
  if (!out) return PAR_INVALID;
  *out = no_call_object<Shown>();
  if (!call || !call->host_data) return PAR_INVALID;
  try {
    auto& scope = CallScope::of(call);
    const auto object = std::make_shared<Object>();
    Shown* const shown = object.get();
    scope.keep(std::shared_ptr<void>(object, shown));
    *out = shown;
    try {
      return fill(*object, scope);
    } catch (const std::exception& error) {
      return object->fail(unexpected, std::string("unexpected failure of the host: ") + error.what());
    }
  } catch (const std::exception&) {
    return PAR_INVALID;  // out of memory before there was an object
  }
}

/// Ends the use of an object that provide() showed.
template <typename Shown>
void release_object(const par_call* call, Shown* object) {
  if (call && call->host_data && object) CallScope::of(call).drop(object);
}

}  // namespace par::core
