#include "core/enrollment/directory.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/write_all.hpp"
#include "core/enrollment/credential_templates.hpp"

namespace par::core {
namespace fs = std::filesystem;
namespace {

constexpr unsigned k_private_file = 0600;
// About what a configuration takes: a full disk must be seen too.
constexpr size_t k_proof_bytes = 16 << 10;

// What to do about a directory that cannot be written to.
std::string advice(const fs::path& directory, int error) {
  const std::string owner = fmt::format("{}:{}", ::geteuid(), ::getegid());
  if (error == EROFS) {
    return fmt::format(
        "it is mounted read-only. Mount it writable for the first start, or enroll elsewhere with "
        "`par-runner --enroll -f env` and give this runner RUNNER_URN and RUNNER_PRIVATE_KEY");
  }
  if (error == ENOSPC || error == EDQUOT) return "make room there";
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0) {
    return fmt::format("make it and give it to the runner's user: mkdir -p {} && chown {} {}",
                       directory.native(), owner, directory.native());
  }
  if (!S_ISDIR(info.st_mode)) return "set DD_PRIVATE_RUNNER_CONFIG_DIR to a directory";
  return fmt::format(
      "it belongs to {}:{} with mode {:04o}, and this process runs as {}. Give it to the runner's user: "
      "chown {} {} (for a directory mounted into a container: on the host, with the path that it has there)",
      info.st_uid, info.st_gid, info.st_mode & 07777, owner, owner, directory.native());
}

tl::unexpected<Error> cannot_write(const fs::path& directory, int error) {
  return fail(fmt::format(
      "the identity of a new runner could not be stored in {}: {}; {}. Nothing was sent to Datadog",
      directory.native(), errno_text(error), advice(directory, error)));
}

// Writes, syncs and removes a file. An errno value, or 0.
int try_to_write(const fs::path& directory) {
  const auto file = write_unique_file(directory / ".enrollment", std::string(k_proof_bytes, '\n'));
  if (!file) return file.error();
  ::unlink(file->c_str());
  return 0;
}

// A template is called <integration>_<kind>.json.
bool is_for(const CredentialTemplate& entry, const std::vector<std::string>& actions) {
  const std::string integration =
      fmt::format("com.datadoghq.{}.", entry.file.substr(0, entry.file.find('_')));
  return std::any_of(actions.begin(), actions.end(),
                     [&](const std::string& action) { return action.starts_with(integration); });
}

// Writes a file that is not there yet; false if it is.
Result<bool> write_new_file(const fs::path& path, std::string_view content) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, k_private_file));
  if (!file && errno == EEXIST) return false;
  const int error = file ? write_all(file.get(), content) : errno;
  if (error == 0) return true;
  if (file) ::unlink(path.c_str());
  return fail(fmt::format("{}: {}", path.native(), errno_text(error)));
}

}  // namespace

Result<IdentityDirectory> IdentityDirectory::claim(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return cannot_write(directory, error.value());
  FileDescriptor lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) return cannot_write(directory, errno);
  // Some network file systems have no locks. Then two first starts at once are the operator's to avoid.
  while (::flock(lock.get(), LOCK_EX) != 0 && errno == EINTR) {
  }
  if (const int problem = try_to_write(directory); problem != 0) return cannot_write(directory, problem);
  return IdentityDirectory(directory, std::move(lock));
}

Result<void> IdentityDirectory::store_config(std::string_view text) const {
  std::error_code not_there;
  const fs::path file = path_ / "config.yaml";
  const fs::path target = fs::weakly_canonical(file, not_there);
  if (auto written = write_file_atomically(not_there ? file : target, text, k_private_file); !written)
    return written;
  ::fsync(lock_.get());  // makes the new name last as well; where it cannot, nothing is lost
  return {};
}

Result<std::vector<std::string>> IdentityDirectory::write_credential_templates(
    const std::vector<std::string>& actions) const {
  std::vector<std::string> written;
  for (const CredentialTemplate& entry : credential_templates()) {
    if (!is_for(entry, actions)) continue;
    const fs::path directory = path_ / "credentials";
    std::error_code error;
    fs::create_directory(directory, error);
    if (error) return fail(fmt::format("{}: {}", directory.native(), error.message()));
    const auto is_new = write_new_file(directory / entry.file, entry.content);
    if (!is_new) return tl::unexpected(is_new.error());
    if (*is_new) written.emplace_back(entry.file);
  }
  return written;
}

}  // namespace par::core
