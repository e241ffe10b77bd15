#include "core/services/response_parser.hpp"

#include <cctype>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <fmt/format.h>

#include "core/base/strings.hpp"

namespace par::core {
namespace http = boost::beast::http;
using boost::beast::error_code;
using Text = boost::beast::string_view;
namespace {

// Before the parser gets the head of a chunk it must be this long, the length of the shortest last chunk:
// Boost 1.74 relies on it once it has seen the 0.
constexpr size_t k_least_chunk_head = 5;

tl::unexpected<HttpError> too_large(const char* what) {
  return tl::unexpected(HttpError{
      HttpFailure::limit,
      fmt::format("{} of the answer is larger than {} KiB", what, ResponseParser::k_max_head_bytes >> 10)});
}

}  // namespace

struct ResponseParser::Impl final : http::basic_parser<false> {
  HttpResponseHead answer;
  std::string_view body;
  bool head_complete = false;
  uint64_t head_bytes = 0;   ///< of the head that were taken
  uint64_t chunk_bytes = 0;  ///< of the current chunk that are still to come

  explicit Impl(bool bodiless) {
    header_limit(k_max_head_bytes);
    body_limit(UINT64_MAX);  // others count; "none" would refuse every Content-Length in Boost 1.74
    skip(bodiless);
  }

  void on_request_impl(http::verb, Text, Text, int, error_code&) override {}
  void on_response_impl(int code, Text reason, int, error_code&) override {
    answer.status = code;
    answer.reason.assign(reason.data(), reason.size());
  }
  void on_field_impl(http::field field, Text name, Text value, error_code& error) override {
    if (head_complete) return;  // a trailer
    // Another coding than those would leave the body encoded without a word, and none was asked for.
    if (field == http::field::transfer_encoding &&
        !equals_ignoring_case({value.data(), value.size()}, "chunked") &&
        !equals_ignoring_case({value.data(), value.size()}, "identity")) {
      error = http::error::bad_transfer_encoding;
      return;
    }
    answer.headers.push_back(
        {std::string(name.data(), name.size()), std::string(value.data(), value.size())});
  }
  void on_header_impl(error_code&) override { head_complete = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(Text piece, error_code&) override {
    body = {piece.data(), piece.size()};
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t size, Text, error_code&) override { chunk_bytes = size; }
  std::size_t on_chunk_body_impl(std::uint64_t, Text piece, error_code&) override {
    body = {piece.data(), piece.size()};
    chunk_bytes -= piece.size();
    return piece.size();
  }
  void on_finish_impl(error_code&) override {}
};

ResponseParser::ResponseParser(bool bodiless) : impl_(std::make_unique<Impl>(bodiless)) {}
ResponseParser::~ResponseParser() = default;
ResponseParser::ResponseParser(ResponseParser&&) noexcept = default;
ResponseParser& ResponseParser::operator=(ResponseParser&&) noexcept = default;

Result<ResponseParser::Step, HttpError> ResponseParser::feed(std::string_view input) {
  impl_->body = {};
  const bool in_head = !impl_->head_complete;
  const bool at_chunk_head = !in_head && impl_->chunked() && impl_->chunk_bytes == 0;
  if (at_chunk_head && input.size() < k_least_chunk_head) return Step{};
  error_code error;
  const size_t consumed = impl_->put(boost::asio::const_buffer(input.data(), input.size()), error);
  if (in_head) impl_->head_bytes += consumed;
  // The parser's own limit counts only what it was given at once, and does not know trailers.
  const size_t untaken = impl_->head_complete ? 0 : input.size() - consumed;
  if (error == http::error::header_limit || impl_->head_bytes + untaken > k_max_head_bytes) {
    return too_large("the head");
  }
  if (at_chunk_head && consumed == 0 && input.size() > k_max_head_bytes) {
    return too_large("a chunk's extension or the trailer");
  }
  if (!error || error == http::error::need_more) return Step{consumed, impl_->body};
  return tl::unexpected(HttpError{HttpFailure::protocol, "the answer is not valid HTTP: " + error.message()});
}

Result<void, HttpError> ResponseParser::end_of_input() {
  error_code error;
  if (impl_->got_some()) impl_->put_eof(error);
  if (impl_->got_some() && !error) return {};
  return tl::unexpected(HttpError{
      HttpFailure::connect, !impl_->got_some() ? "the peer closed the connection without an answer"
                            : head_done()      ? "the peer closed the connection before the end of the body"
                                          : "the peer closed the connection within the head of the answer"});
}

bool ResponseParser::begun() const {
  return impl_->got_some();
}
bool ResponseParser::head_done() const {
  return impl_->head_complete;
}
bool ResponseParser::done() const {
  return impl_->is_done();
}
bool ResponseParser::keep_alive() const {
  return impl_->keep_alive();
}
bool ResponseParser::ends_by_close() const {
  return impl_->head_complete && impl_->need_eof();
}
std::optional<uint64_t> ResponseParser::content_length() const {
  const auto length = impl_->content_length();
  if (!length) return std::nullopt;
  return *length;
}
HttpResponseHead& ResponseParser::head() {
  return impl_->answer;
}

StatusLine look_at_status_line(std::string_view start) {
  constexpr std::string_view k_shape = "HTTP/1.# ###\r\n";  // '#': a digit
  static_assert(k_shape.find("\r") == k_status_blank);
  for (size_t at = 0; at < k_shape.size(); ++at) {
    if (at == start.size()) return StatusLine::incomplete;
    const auto c = static_cast<unsigned char>(start[at]);
    if (k_shape[at] == '#' ? std::isdigit(c) == 0 : k_shape[at] != start[at]) return StatusLine::fine;
  }
  return StatusLine::lacks_blank;
}

}  // namespace par::core
