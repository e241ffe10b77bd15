#include "core/verify/directory_keys.hpp"

#include <cerrno>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "core/base/files.hpp"
#include "core/telemetry/log.hpp"

namespace par::core {
namespace {

constexpr std::string_view k_suffix = ".json";
constexpr size_t k_max_file = 1024 * 1024;

// What tells two contents of a file apart without reading it. The times are nanoseconds; links are followed.
using Stamp = std::tuple<dev_t, ino_t, off_t, int64_t, int64_t>;
using Stamps = std::map<std::string, Stamp>;

int64_t nanoseconds(const timespec& time) {
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

// The key files of `directory`, by name.
Result<Stamps> stamps_of(const std::filesystem::path& directory) {
  const auto close = [](DIR* open) { ::closedir(open); };
  const std::unique_ptr<DIR, decltype(close)> entries(::opendir(directory.c_str()), close);
  if (!entries) return fail(fmt::format("{}: {}", directory.native(), errno_text(errno)));
  Stamps stamps;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(entries.get());
    if (entry == nullptr && errno != 0)
      return fail(fmt::format("{}: {}", directory.native(), errno_text(errno)));
    if (entry == nullptr) return stamps;
    const std::string_view name(entry->d_name);
    if (name.starts_with('.') || !name.ends_with(k_suffix)) continue;
    struct stat info {};
    // A file that cannot be looked at gets an empty stamp, and reading it then says why.
    const bool found = ::fstatat(::dirfd(entries.get()), entry->d_name, &info, 0) == 0;
    stamps.emplace(name, found ? Stamp(info.st_dev, info.st_ino, info.st_size, nanoseconds(info.st_mtim),
                                       nanoseconds(info.st_ctim))
                               : Stamp());
  }
}

}  // namespace

struct DirectoryKeys::Watcher : std::enable_shared_from_this<Watcher> {
  Watcher(boost::asio::io_context& control, const Log& lines, std::filesystem::path path, Milliseconds wait)
      : timer(control), log(lines), directory(std::move(path)), interval(wait) {}

  void schedule(Milliseconds wait) {
    timer.expires_after(wait);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& failure) {
      if (failure || self->stopped) return;
      self->look();
      if (!self->stopped) self->schedule(self->interval);
    });
  }

  void look() {
    // Taken before the files are read: what changes meanwhile is seen as a change by the next look.
    auto now = stamps_of(directory);
    if (!now) {
      if (now.error().message != error) {
        log.warn("keysDirectory: the directory cannot be read, the keys stay as they are: " +
                 now.error().message);
      }
      error = now.error().message;
      return;
    }
    error.clear();
    if (seen && *seen == *now) return;
    seen = std::move(*now);
    load();
  }

  void load() {
    auto keys = std::make_shared<KeySet>();
    for (const auto& [name, stamp] : *seen) {
      const auto path = directory / name;
      const auto text = read_file(path, k_max_file);
      if (!text) {
        log.warn("keysDirectory: key skipped: " + text.error().message);
        continue;
      }
      auto key = VerifyingKey::from_json(*text);
      if (!key) {
        log.warn("keysDirectory: key skipped: " + path.native() + ": " + key.error().message);
        continue;
      }
      keys->add(name.substr(0, name.size() - k_suffix.size()), std::move(*key));
    }
    log.info("signing keys updated",
             {{"source", directory.native()}, {"keys", keys->size()}, {"key_ids", keys->ids()}});
    have_keys = !keys->empty();
    changed(std::move(keys));
  }

  boost::asio::steady_timer timer;
  const Log& log;
  const std::filesystem::path directory;
  const Milliseconds interval;
  std::function<void(std::shared_ptr<const KeySet>)> changed;
  std::optional<Stamps> seen;
  std::string error;
  bool have_keys = false;
  bool stopped = false;
};

DirectoryKeys::DirectoryKeys(boost::asio::io_context& control, const Log& log,
                             std::filesystem::path directory, Milliseconds interval)
    : watcher_(std::make_shared<Watcher>(control, log, std::move(directory), interval)) {}

DirectoryKeys::~DirectoryKeys() {
  stop();
}

void DirectoryKeys::start(std::function<void(std::shared_ptr<const KeySet>)> changed) {
  watcher_->changed = std::move(changed);
  watcher_->schedule(Milliseconds(0));
}

void DirectoryKeys::stop() {
  watcher_->stopped = true;
  watcher_->timer.cancel();
}

std::string DirectoryKeys::problem() const {
  if (watcher_->have_keys) return {};
  if (!watcher_->error.empty()) return "keysDirectory: " + watcher_->error;
  if (!watcher_->seen) return "the keys directory is about to be read";
  return fmt::format("{} holds no usable file <key id>.json", watcher_->directory.native());
}

}  // namespace par::core
