#include "core/cli/report.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace par::core {

void Report::line(std::string_view verdict, std::string_view subject, std::string_view text) {
  std::string line = fmt::format("{}  {:<13} {}", verdict, subject, text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), out_);
  std::fflush(out_);
}

}  // namespace par::core
