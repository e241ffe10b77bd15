#include "rows.hpp"

#include <algorithm>

#include <par/sdk/error.hpp>

namespace postgresql_plugin {
namespace {

constexpr size_t k_block = 1u << 20;

}  // namespace

bool Rows::add(std::string_view row) {
  const size_t comma = count_ == 0 ? 0 : 1;
  const size_t size = row.size() + comma;
  if (count_ == max_rows_ || size > max_bytes_ - bytes_) return false;
  if (blocks_.empty() || blocks_.back().capacity() - blocks_.back().size() < size) {
    blocks_.emplace_back().reserve(std::max(size, k_block));
  }
  blocks_.back().append(",", comma).append(row);
  ++count_;
  bytes_ += size;
  return true;
}

std::vector<par_str> Rows::parts() const {
  std::vector<par_str> parts;
  parts.reserve(blocks_.size());
  for (const std::string& block : blocks_) parts.push_back(par::to_str(block));
  return parts;
}

}  // namespace postgresql_plugin
