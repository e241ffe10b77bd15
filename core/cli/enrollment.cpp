#include "core/cli/enrollment.hpp"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "core/base/files.hpp"
#include "core/cli/exit_code.hpp"
#include "core/cli/result_output.hpp"
#include "core/enrollment/directory.hpp"
#include "core/enrollment/enroll.hpp"
#include "core/enrollment/formats.hpp"
#include "core/enrollment/settings.hpp"
#include "core/enrollment/spare_copy.hpp"
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

// Enrolls; `write` puts the identity where it belongs. If it cannot, the identity is kept in a file of its
// own in one of `spare_directories`, and the error says where.
Result<Enrolled> enroll_without_loss(const EnrollmentContext& context, Config config,
                                     const EnrollmentSettings& settings, EnrollmentFormat format,
                                     const std::vector<std::filesystem::path>& spare_directories,
                                     const std::function<Result<void>(const Config&)>& write) {
  std::string kept_instead;
  const auto keep = [&](const Config& complete) -> Result<void> {
    const auto written = write(complete);
    if (written) return {};
    const auto copy = keep_spare_copy(spare_directories, render(complete, format).reveal());
    if (!copy)
      return fail(fmt::format("{}; nor anywhere else: {}", written.error().message, copy.error().message));
    kept_instead = fmt::format(
        "the runner {} is enrolled, but its identity could not be written: {}. It is in {} instead (mode "
        "0600): move it from there and do not enroll again. If that file goes away with its container, "
        "delete the runner in Datadog",
        complete.urn, written.error().message, copy->native());
    return {};
  };
  auto enrolled = enroll(std::move(config), settings, context.log, context.redactor, keep);
  if (enrolled && !kept_instead.empty()) return fail(std::move(kept_instead));
  return enrolled;
}

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

  const auto enrolled = enroll_without_loss(
      context, config, *settings, EnrollmentFormat::config, {config.directory},
      [&](const Config& complete) -> Result<void> {
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
  const std::filesystem::path& file = context.arguments.output;
  const auto output = file.empty() ? ResultOutput::to_descriptor(STDOUT_FILENO) : ResultOutput::to_file(file);
  if (!output) return failed(output.error());
  const auto write = [&](const Config& complete) {
    return output->write(render(complete, context.arguments.format));
  };
  if (!lacks_identity(config)) {
    if (const auto sound = check_identity(config); !sound) return failed(sound.error());
    context.log.info("this runner has an identity, which is printed; it is not enrolled again",
                     {{"urn", config.urn}, {"identity", config.identity_source}});
    const auto printed = write(config);
    return printed ? exit_ok : failed(printed.error());
  }
  const auto settings = settings_of(context, config);
  if (!settings) return failed(settings.error());
  const std::vector<std::filesystem::path> spare_directories{output->file().parent_path(), config.directory};
  const auto enrolled = enroll_without_loss(context, std::move(config), *settings, context.arguments.format,
                                            spare_directories, write);
  if (!enrolled) return failed(enrolled.error());
  if (!enrolled->config.urn.empty()) return exit_ok;
  context.log.warn("stopped by a signal before anything was sent");
  return exit_failed;
}

}  // namespace par::core
