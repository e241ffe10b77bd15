#include "core/cli/enrollment.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "core/base/files.hpp"
#include "core/cli/exit_code.hpp"
#include "core/enrollment/directory.hpp"
#include "core/enrollment/enroll.hpp"
#include "core/enrollment/formats.hpp"
#include "core/enrollment/settings.hpp"
#include "core/telemetry/log.hpp"

namespace par::core {
namespace {

constexpr size_t k_max_file_bytes = 1 << 20;

Result<EnrollmentSettings> settings_of(const EnrollmentContext& context, const Config& config) {
  const auto kind = context.arguments.with_api_key ? EnrollmentKind::api_keys : EnrollmentKind::token;
  return read_enrollment_settings(kind, context.environment, config, context.redactor);
}

// The text of config.yaml; empty if there is none.
Result<Secret> text_of_file(const Config& config) {
  if (!config.has_file) return Secret();
  auto text = read_file(config.directory / "config.yaml", k_max_file_bytes);
  if (!text) return tl::unexpected(text.error());
  return Secret(std::move(*text));
}

void write_templates(const IdentityDirectory& directory, const Config& config, const Log& log) {
  const auto written = directory.write_credential_templates(config.actions_allowlist);
  if (!written) {
    log.warn("templates of credential files could not be written", {{"error", written.error().message}});
  } else if (!written->empty()) {
    const std::string names = fmt::format("{}", fmt::join(*written, ", "));
    log.info("templates of credential files written, to be filled in",
             {{"directory", (config.directory / "credentials").native()}, {"files", names}});
  }
}

Result<void> write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail("standard output: " + errno_text(errno));
    text.remove_prefix(static_cast<size_t>(written));
  }
  if (::fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS)
    return fail("standard output: " + errno_text(errno));
  return {};
}

// Where --enroll writes to, proved usable before anything is sent.
class Output {
 public:
  static Result<Output> open(const std::filesystem::path& path) {
    Output output;
    if (path.empty()) {
      const int flags = ::fcntl(STDOUT_FILENO, F_GETFL);
      if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
        return fail("standard output cannot be written to, so the identity would be lost; nothing was sent");
      return output;
    }
    output.path_ = std::filesystem::absolute(path);
    auto directory = IdentityDirectory::claim(output.path_.parent_path());
    if (!directory) return tl::unexpected(directory.error());
    return output;
  }

  Result<void> write(const Secret& text) const {
    if (path_.empty()) return write_all(STDOUT_FILENO, text.reveal());
    return write_file_atomically(path_, text.reveal(), 0600);
  }

 private:
  std::filesystem::path path_;
};

}  // namespace

Result<bool> enroll_if_needed(const EnrollmentContext& context, Config& config) {
  const bool asked = context.arguments.with_api_key || has_enrollment_token(context.environment);
  if (!asked) return true;
  const auto has_one = [&] {
    if (lacks_identity(config)) return false;
    context.log.info("this runner has an identity, so it is not enrolled again",
                     {{"urn", config.urn}, {"identity", config.identity_source}});
    return true;
  };
  if (has_one()) return true;
  const auto settings = settings_of(context, config);
  if (!settings) return tl::unexpected(settings.error());
  const auto directory = IdentityDirectory::claim(config.directory);
  if (!directory) return tl::unexpected(directory.error());

  const auto reload = [&]() -> Result<void> {
    auto again = context.load();
    if (!again) return tl::unexpected(again.error());
    config = std::move(*again);
    return {};
  };
  // Another process may have enrolled while this one waited for the directory.
  if (auto read = reload(); !read) return tl::unexpected(read.error());
  if (has_one()) return true;
  const auto existing = text_of_file(config);
  if (!existing) return tl::unexpected(existing.error());
  if (const auto fits = complete_config_file(existing->reveal(), with_sample_identity(config)); !fits)
    return tl::unexpected(fits.error());

  const auto enrolled = enroll(config, *settings, context.log, context.redactor, [&](const Config& complete) {
    const auto text = complete_config_file(existing->reveal(), complete);
    return text ? directory->store_config(text->reveal()) : tl::unexpected(text.error());
  });
  if (!enrolled) return tl::unexpected(enrolled.error());
  if (!enrolled->config.urn.empty()) {
    write_templates(*directory, enrolled->config, context.log);
    if (auto read = reload(); !read) return tl::unexpected(read.error());
  }
  return !enrolled->stop_requested;
}

int enroll_and_print(const EnrollmentContext& context, Config config) {
  const auto failed = [&](const Error& error) {
    context.log.error(error.message);
    return exit_failed;
  };
  const auto output = Output::open(context.arguments.output);
  if (!output) return failed(output.error());
  const auto print = [&](const Config& complete) {
    return output->write(render(complete, context.arguments.format));
  };
  if (!lacks_identity(config)) {
    if (const auto sound = check_identity(config); !sound) return failed(sound.error());
    context.log.info("this runner has an identity, which is printed; it is not enrolled again",
                     {{"urn", config.urn}, {"identity", config.identity_source}});
    const auto printed = print(config);
    return printed ? exit_ok : failed(printed.error());
  }
  const auto settings = settings_of(context, config);
  if (!settings) return failed(settings.error());
  const auto enrolled = enroll(std::move(config), *settings, context.log, context.redactor, print);
  if (!enrolled) return failed(enrolled.error());
  if (!enrolled->config.urn.empty()) return exit_ok;
  context.log.warn("stopped by a signal before anything was sent");
  return exit_failed;
}

}  // namespace par::core
