#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "core/base/time.hpp"
#include "core/verify/keys.hpp"

namespace boost::asio {
class io_context;
}

namespace par::core {

class Log;

/// Signing keys from the files `<key id>.json` of a directory. Changes are noticed by looking at the files'
/// times every few seconds, which also works for mounted volumes. A file that does not decode is logged and
/// skipped; a deleted file takes its key away; while the directory cannot be read, the last keys stay. Names
/// that start with a dot are not keys.
class DirectoryKeys : public KeySource {
 public:
  /// `log` must outlive stop(). Control thread only.
  DirectoryKeys(boost::asio::io_context& control, const Log& log, std::filesystem::path directory,
                Milliseconds interval = Milliseconds(4'000));
  ~DirectoryKeys() override;

  void start(std::function<void(std::shared_ptr<const KeySet>)> changed) override;
  void stop() override;
  std::string problem() const override;

 private:
  struct Watcher;
  std::shared_ptr<Watcher> watcher_;
};

}  // namespace par::core
