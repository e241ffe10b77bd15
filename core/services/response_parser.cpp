#include "core/services/response_parser.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <fmt/format.h>

namespace par::core {
namespace http = boost::beast::http;
using boost::beast::error_code;
using Text = boost::beast::string_view;

struct ResponseParser::Impl final : http::basic_parser<false> {
  HttpResponseHead answer;
  std::string_view body;
  bool head_complete = false;

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
  void on_field_impl(http::field, Text name, Text value, error_code&) override {
    if (head_complete) return;  // a trailer
    answer.headers.push_back(
        {std::string(name.data(), name.size()), std::string(value.data(), value.size())});
  }
  void on_header_impl(error_code&) override { head_complete = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(Text piece, error_code&) override {
    body = {piece.data(), piece.size()};
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t, Text, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text piece, error_code&) override {
    body = {piece.data(), piece.size()};
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
  error_code error;
  const size_t consumed = impl_->put(boost::asio::const_buffer(input.data(), input.size()), error);
  if (!error || error == http::error::need_more) return Step{consumed, impl_->body};
  if (error == http::error::header_limit) {
    return tl::unexpected(
        HttpError{HttpFailure::limit,
                  fmt::format("the head of the answer is larger than {} KiB", k_max_head_bytes >> 10)});
  }
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
