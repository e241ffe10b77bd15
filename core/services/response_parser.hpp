#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/services/http_client.hpp"

namespace par::core {

/// Reads one HTTP/1 answer from bytes, as strictly as Boost.Beast does, which does the work.
class ResponseParser {
 public:
  /// The largest head, and the largest trailer and chunk extension, that are read.
  static constexpr uint32_t k_max_head_bytes = 128u << 10;

  /// `bodiless`: the answer has no body whatever its head says (to HEAD, or a proxy's answer to CONNECT).
  explicit ResponseParser(bool bodiless);
  ~ResponseParser();
  ResponseParser(ResponseParser&&) noexcept;
  ResponseParser& operator=(ResponseParser&&) noexcept;

  /// What one step made of its input.
  struct Step {
    size_t consumed = 0;    ///< bytes of the input that are done with; 0 if more are needed first
    std::string_view body;  ///< bytes of the body, within the input
  };
  /// Takes the next piece of the input, of the head or of the body. Call it again with what it left; when it
  /// consumed nothing, it needs more behind what it left.
  Result<Step, HttpError> feed(std::string_view input);
  /// The peer closed. Fine if that ends the body; else the error says what is missing.
  Result<void, HttpError> end_of_input();

  bool begun() const;  ///< a part of the status line was taken
  bool head_done() const;
  bool done() const;
  /// May the connection serve another request after this answer?
  bool keep_alive() const;
  /// The body ends when the peer closes.
  bool ends_by_close() const;
  std::optional<uint64_t> content_length() const;
  /// Status, reason and headers; valid after head_done().
  HttpResponseHead& head();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What the first bytes of an answer look like.
enum class StatusLine { fine, incomplete, lacks_blank };
inline constexpr size_t k_status_blank = 12;  ///< where the blank belongs: behind "HTTP/1.1 200"

/// Some servers leave out the blank after the status code if they have no reason phrase, which the parser
/// refuses: the caller puts it in at k_status_blank. `incomplete`: more input is needed to tell.
StatusLine look_at_status_line(std::string_view start);

}  // namespace par::core
