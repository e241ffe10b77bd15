#include "plugin-api/devkit/par-plugin/session.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include "plugin-api/devkit/par-plugin/status.hpp"

namespace par::kit {
namespace {

using core::fail;

// A request with all its texts in pages that the plugin can read only.
class GuardedRequest {
 public:
  explicit GuardedRequest(const Sample& sample)
      : pages_(sizeof(par_request) + sample.inputs.size() + sample.connection.size() + sample.action.size() +
               64),
        request_(reinterpret_cast<par_request*>(pages_.begin())) {
    auto* at = reinterpret_cast<char*>(pages_.begin() + sizeof(par_request));
    const auto put = [&at](std::string_view text) {
      std::memcpy(at, text.data(), text.size());
      const par_str view{at, text.size()};
      at += text.size();
      return view;
    };
    *request_ = {sizeof(par_request),   0, put("task-of-the-checker"), put(sample.action), put(sample.inputs),
                 put(sample.connection)};
  }
  const par_request* get() const { return request_; }
  void make_read_only() { pages_.make_read_only(); }
  void forbid() { pages_.forbid(); }

 private:
  Pages pages_;
  par_request* request_;
};

}  // namespace

core::Result<void*> load_library(const std::filesystem::path& file) {
  void* const library = ::dlopen(std::filesystem::absolute(file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return fail(::dlerror());
  return library;
}

par_plugin_entry entry_of(void* library) {
  return reinterpret_cast<par_plugin_entry>(::dlsym(library, PAR_PLUGIN_ENTRY_NAME));
}

Session::Session(const Subject& subject, const Behaviour& behaviour)
    : subject_(subject), behaviour_(behaviour) {
  friendly_.tables = behaviour.tables;
}

core::Result<void> Session::open() {
  const auto library = load_library(subject_.file);
  if (!library) return tl::unexpected(library.error());
  const par_plugin_entry entry = entry_of(*library);
  table_ = entry == nullptr ? nullptr : entry();
  if (table_ == nullptr) return fail("it has no table");
  host_ = std::make_unique<Host>(behaviour_, subject_.manifest.services);
  Call call(friendly_, {}, subject_.hosts);
  try {
    opened_.status = table_->open(host_->abi(), borrow(subject_.settings), call.abi(), &instance_);
  } catch (...) {
    opened_.threw = true;
    opened_.status = PAR_INTERNAL;
  }
  opened_.report = call.finish();
  if (opened_.status != PAR_OK) {
    return fail(fmt::format("open answered {}: {}", status_name(opened_.status), opened_.report.message));
  }
  return {};
}

void Session::close() {
  table_->close(instance_);
}

Run Session::run(const Sample& sample, Guard guard) {
  GuardedRequest request(sample);
  if (guard == Guard::request_is_read_only) request.make_read_only();
  Call call(behaviour_, sample.answers, subject_.hosts);
  const auto started = std::chrono::steady_clock::now();
  Run run;
  try {
    run.status = table_->execute(instance_, request.get(), call.abi());
  } catch (...) {
    run.threw = true;
    run.status = PAR_INTERNAL;
  }
  const auto cancel = behaviour_.cancel_after ? behaviour_.cancel_after : behaviour_.limit;
  run.after_cancel =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started) -
      cancel.value_or(std::chrono::milliseconds(0));
  run.report = call.finish();
  if (guard == Guard::nothing_is_used_afterwards) {
    request.forbid();
    call.forbid();
  }
  return run;
}

}  // namespace par::kit
