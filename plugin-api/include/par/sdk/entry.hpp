#pragma once

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include <par/sdk/call.hpp>

// The manifest as it stands in the ELF section .par_manifest; par_add_plugin() makes them.
// NOLINTBEGIN(readability-identifier-naming): symbols of C
extern "C" const char par_manifest_begin[];
extern "C" const char par_manifest_end[];
// NOLINTEND(readability-identifier-naming)

namespace par {

/// In the place of an action's name: every action that no entry before this one names. For families of
/// actions that one function tells apart.
inline constexpr std::string_view k_any_action;

/// An action's name within the namespace and the member function that runs it. Up to max_concurrency of the
/// manifest run at a time, on different threads, on one object.
template <typename Plugin>
struct Action {
  std::string_view name;
  void (Plugin::*run)(const Request& request, Call& call) const;
};

namespace detail {

/// Runs `body` and turns what it throws into the call's error and a status.
template <typename Body>
par_status contain(const par_call* call, Body&& body) noexcept {
  const auto report = [call](std::string_view message, std::string_view display) {
    call->error(call, to_str(message), to_str(display));
  };
  constexpr std::string_view k_defect = "the plugin failed with an internal error";
  try {
    body();
    return PAR_OK;
  } catch (const Error& error) {
    report(error.message(), error.display());
    const par_status status = error.status();
    return status == PAR_OK || status == PAR_INVALID || status == PAR_BAD_RESULT ? PAR_INTERNAL : status;
  } catch (const std::exception& error) {
    report(error.what(), k_defect);
  } catch (...) {
    report("an exception that is not a std::exception left the action", k_defect);
  }
  return PAR_INTERNAL;
}

/// The table of one plugin class. `Actions::list` is its table of actions.
template <typename Plugin, typename Actions>
class Entry {
 public:
  static const par_plugin* table() noexcept {
    static constexpr par_plugin k_table = {
        PAR_MAGIC, sizeof(par_plugin), PAR_ABI_MAJOR, PAR_ABI_MINOR, 0, 0, &manifest, &open,
        &close,    &execute,           nullptr};
    return &k_table;
  }

 private:
  struct Instance {
    Host host;
    Services services;
    Plugin plugin;
  };

  static par_str manifest() noexcept {
    return {par_manifest_begin, static_cast<size_t>(par_manifest_end - par_manifest_begin)};
  }

  static Plugin make(const Setup& setup) {
    if constexpr (std::is_constructible_v<Plugin, const Setup&>) {
      return Plugin(setup);
    } else {
      static_assert(std::is_default_constructible_v<Plugin>,
                    "a plugin needs a default constructor or one that takes par::Setup");
      return Plugin();
    }
  }

  static par_status open(const par_host* host, par_str settings_json, const par_call* call,
                         par_instance** instance) noexcept {
    return contain(call, [&] {
      if (!complete(host) || !complete(call)) {
        throw Error(PAR_INTERNAL, "the host's tables are shorter than version 1.0 of the ABI needs");
      }
      const Host the_host(host);
      const Services services = Services::of(the_host);
      Call the_call(call, the_host, services);
      const Setup setup{the_host, view(settings_json), the_call};
      // In place, so that a plugin need be neither copied nor moved.
      *instance = reinterpret_cast<par_instance*>(new Instance{the_host, services, make(setup)});
    });
  }

  static void close(par_instance* instance) noexcept { delete reinterpret_cast<Instance*>(instance); }

  static par_status execute(par_instance* instance, const par_request* request,
                            const par_call* call) noexcept {
    return contain(call, [&] {
      const auto& self = *reinterpret_cast<const Instance*>(instance);
      const Request the_request(request);
      // The text is valid JSON, so its first byte tells its type.
      const std::string_view inputs = the_request.inputs_json();
      if (const size_t at = inputs.find_first_not_of(" \t\r\n"); at == inputs.npos || inputs[at] != '{') {
        throw Error(PAR_INTERNAL, "the host broke its contract: the inputs are not a JSON object");
      }
      Call the_call(call, self.host, self.services);
      for (const Action<Plugin>& action : Actions::list) {
        if (action.name == the_request.action() || action.name == k_any_action) {
          (self.plugin.*action.run)(the_request, the_call);
          return;
        }
      }
      throw Error(PAR_INTERNAL, "the plugin has no action \"" + std::string(the_request.action()) + "\"");
    });
  }
};

}  // namespace detail
}  // namespace par

/// Makes `Plugin` the plugin of this library: PAR_PLUGIN(Plugin, {"action", &Plugin::method}, ...). Once
/// per library, outside of all namespaces.
#define PAR_PLUGIN(Plugin, ...)                                     \
  namespace {                                                       \
  struct ParPluginActions {                                         \
    static constexpr ::par::Action<Plugin> list[] = {__VA_ARGS__};  \
  };                                                                \
  }                                                                 \
  extern "C" PAR_EXPORT const par_plugin* par_plugin_v1(void) {     \
    return ::par::detail::Entry<Plugin, ParPluginActions>::table(); \
  }                                                                 \
  static_assert(true, "")
