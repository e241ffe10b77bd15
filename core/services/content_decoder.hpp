#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "core/services/http_client.hpp"

namespace par::core {

/// Undoes Content-Encoding gzip or deflate, piece by piece.
class ContentDecoder {
 public:
  /// A decoder for this value of Content-Encoding, or null if it is not one of ours.
  static std::unique_ptr<ContentDecoder> make(std::string_view content_encoding);
  ~ContentDecoder();

  /// Decodes from the front of `input`, which is shortened by what was used. The view is valid until the next
  /// call; an empty one means that more input is needed.
  Result<std::string_view, HttpError> decode(std::string_view& input);
  /// The input is over. An error if the compressed data is not.
  Result<void, HttpError> finish() const;

 private:
  struct State;
  explicit ContentDecoder(bool deflate);
  std::unique_ptr<State> state_;
};

}  // namespace par::core
