#include "core/services/http_exchange.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include <fmt/format.h>

#include "core/base/strings.hpp"

namespace par::core {
namespace {

constexpr unsigned k_max_redirects = 10;
constexpr unsigned k_max_interim_answers = 32;
constexpr size_t k_first_read = 16u << 10;
constexpr size_t k_body_read = 64u << 10;
// The body of a redirect up to this size is read, so that the connection can be used again.
constexpr uint64_t k_max_skipped_body = 64u << 10;

tl::unexpected<HttpError> http_fail(HttpFailure kind, std::string message) {
  return tl::unexpected(HttpError{kind, std::move(message)});
}

bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

// A zone means something on this machine only.
std::string host_header(const Url& url) {
  if (url.host.find('%') == std::string::npos) return url.authority();
  Url without_zone = url;
  without_zone.host.resize(url.host.find('%'));
  return without_zone.authority();
}

uint64_t body_size(const HttpRequest& request) {
  uint64_t size = 0;
  for (const auto& part : request.body) size += part.size();
  return size;
}

std::string request_head(const HttpRequest& request, const Hop& hop, const Route& route,
                         bool wants_decoding) {
  std::string out;
  out.reserve(512);
  const bool plain_proxy = route.through_plain_proxy(hop.url);
  const auto add = [&](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  out.append(hop.method).append(" ");
  if (plain_proxy) out.append(hop.url.scheme).append("://").append(host_header(hop.url));
  out.append(hop.url.target()).append(" HTTP/1.1\r\n");
  add("Host", host_header(hop.url));
  for (const auto& header : hop.headers) add(header.name, header.value);
  if (hop.credentials && !hop.url.userinfo.empty() && !find_header(hop.headers, "Authorization")) {
    add("Authorization", basic_authorization(hop.url));
  }
  if (plain_proxy && !route.proxy->authorization.empty())
    add("Proxy-Authorization", route.proxy->authorization);
  if (wants_decoding) add("Accept-Encoding", "gzip, deflate");
  if (hop.has_body) {
    add("Content-Length", std::to_string(body_size(request)));
  } else if (hop.method == "POST" || hop.method == "PUT" || hop.method == "PATCH") {
    add("Content-Length", "0");
  }
  out.append("\r\n");
  return out;
}

}  // namespace

std::span<char> ReadBuffer::room(size_t least) {
  if (begin_ == end_) clear();
  if (capacity_ - end_ < least) {
    const size_t used = end_ - begin_;
    const size_t capacity = std::max(capacity_, used + std::max(least, used));
    std::unique_ptr<char[]> bytes(new char[capacity]);
    if (used > 0) std::memcpy(bytes.get(), bytes_.get() + begin_, used);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
    begin_ = 0;
    end_ = used;
  }
  return {bytes_.get() + end_, capacity_ - end_};
}

void ReadBuffer::insert(size_t at, char c) {
  room(1);
  char* place = bytes_.get() + begin_ + at;
  std::memmove(place + 1, place, end_ - begin_ - at);
  *place = c;
  ++end_;
}

Task<HttpResult<bool>> HttpExchange::send(Waiter& waiter, const HttpRequest& request) {
  if (auto valid = check_request(request); !valid) co_return tl::unexpected(valid.error());
  auto url = parse_url(request.url);
  if (!url) co_return http_fail(HttpFailure::invalid, url.error().message);
  deadline_ = request.deadline.value_or(k_never);
  max_body_bytes_ = request.max_body_bytes;
  const std::string first_host = url->host;
  Hop hop{std::move(*url), std::string(request.method), request.headers, request.has_body};
  // As a plugin that names its encodings gets what it asked for; a range of compressed bytes could not be
  // decoded.
  wants_decoding_ = hop.method != "HEAD" && !find_header(hop.headers, "Accept-Encoding") &&
                    !find_header(hop.headers, "Range");
  for (unsigned redirects = 0;; ++redirects) {
    if (auto allowed = policy_.check_host(hop.url.host); !allowed) {
      co_return http_fail(HttpFailure::policy, allowed.error().message);
    }
    auto answered = co_await transact(waiter, request, hop);
    if (!answered) co_return answered;
    const HttpHeader* location = request.follow_redirects ? redirect_location(head_) : nullptr;
    if (!location) {
      head_.redirects = redirects;
      head_.final_url = hop.url.text();
      prepare_decoding(hop);
      co_return true;
    }
    if (redirects == k_max_redirects) {
      co_return http_fail(HttpFailure::protocol, fmt::format("more than {} redirects, the last one from {}",
                                                             k_max_redirects, hop.url.origin()));
    }
    const std::string left_origin = hop.url.origin();
    if (auto followed = follow(hop, first_host, head_.status, location->value); !followed) {
      co_return tl::unexpected(followed.error());
    }
    if (policy_.row().same_origin_redirects && hop.url.origin() != left_origin) {
      co_return http_fail(HttpFailure::policy,
                          fmt::format("{} redirects to another origin, {}, which is refused for this "
                                      "integration",
                                      left_origin, hop.url.origin()));
    }
    auto skipped = co_await skip_body(waiter);
    if (!skipped) co_return skipped;
  }
}

Task<HttpResult<bool>> HttpExchange::transact(Waiter& waiter, const HttpRequest& request, const Hop& hop) {
  const auto route = dialer_.route(request, hop, policy_);
  if (!route) co_return tl::unexpected(route.error());
  Attempt first;
  auto answered = co_await attempt(waiter, request, hop, *route, false, first);
  if (!answered) answered.error().sent = first.sent != 0;
  if (answered || answered.error().kind != HttpFailure::connect || first.answered || !connection_)
    co_return answered;
  // The connection was there and got lost. Peers close idle connections whenever they like; what they may
  // have acted on is sent again only if that changes nothing.
  connection_.reset();
  if (first.sent != 0 && !is_idempotent(hop.method)) co_return answered;
  Attempt second;
  auto again = co_await attempt(waiter, request, hop, *route, true, second);
  if (!again) again.error().sent = first.sent + second.sent != 0;
  co_return again;
}

Task<HttpResult<bool>> HttpExchange::attempt(Waiter& waiter, const HttpRequest& request, const Hop& hop,
                                             const Route& route, bool fresh, Attempt& attempt) {
  connection_ = fresh ? nullptr : pool_.take(route.key);
  if (!connection_) {
    auto connected =
        co_await dialer_.connect(waiter, hop.url, route, policy_, request.connect_timeout, deadline_);
    if (!connected) co_return tl::unexpected(connected.error());
    connection_ = std::move(*connected);
  }
  const std::string head = request_head(request, hop, route, wants_decoding_);
  std::vector<std::string_view> parts{head};
  if (hop.has_body) parts.insert(parts.end(), request.body.begin(), request.body.end());
  buffer_.clear();
  unfinished_request_ = true;
  for (unsigned interim = 0; interim <= k_max_interim_answers; ++interim) {
    // Sending stops when an answer comes before all is sent, and goes on if that was an interim one.
    if (unfinished_request_ && buffer_.data().empty()) {
      auto written = co_await connection_->write(waiter, parts, deadline_, attempt.sent);
      if (!written) co_return written;
      unfinished_request_ = !*written;
    }
    auto answered = co_await read_head(waiter, hop.method == "HEAD", attempt);
    if (!answered) co_return answered;
    if (head_.status >= 200) {
      finish_message();
      co_return true;
    }
    if (head_.status == 101) {
      co_return http_fail(
          HttpFailure::protocol,
          fmt::format("{} switches to another protocol, which was not asked for", connection_->peer()));
    }
  }
  co_return http_fail(HttpFailure::protocol,
                      fmt::format("{} sends interim answers without end", connection_->peer()));
}

Task<HttpResult<bool>> HttpExchange::fill(Waiter& waiter, size_t least) {
  if (waiter.cancelled()) {
    co_return http_fail(HttpFailure::cancelled,
                        "cancelled while reading the answer of " + connection_->peer());
  }
  if (deadline_ != k_never && std::chrono::steady_clock::now() >= deadline_) {
    co_return http_fail(HttpFailure::deadline,
                        "time limit reached while reading the answer of " + connection_->peer());
  }
  const auto room = buffer_.room(least);
  const auto got = co_await connection_->read(waiter, room.data(), room.size(), deadline_);
  if (!got) co_return tl::unexpected(got.error());
  buffer_.filled(*got);
  co_return *got != 0;
}

Task<HttpResult<bool>> HttpExchange::read_head(Waiter& waiter, bool bodiless, Attempt& attempt) {
  parser_.emplace(bodiless);
  while (!parser_->head_done()) {
    const StatusLine line = parser_->begun() ? StatusLine::fine : look_at_status_line(buffer_.data());
    if (line == StatusLine::lacks_blank) buffer_.insert(k_status_blank, ' ');
    if (line != StatusLine::incomplete) {
      const auto step = parser_->feed(buffer_.data());
      if (!step)
        co_return http_fail(step.error().kind,
                            fmt::format("{}: {}", connection_->peer(), step.error().message));
      buffer_.consume(step->consumed);
      if (step->consumed != 0) continue;
    }
    const auto more = co_await fill(waiter, k_first_read);
    if (!more) co_return tl::unexpected(more.error());
    if (!*more) {
      const auto ended = parser_->end_of_input();
      co_return http_fail(HttpFailure::connect, fmt::format("{}: {}", connection_->peer(),
                                                            ended ? "no answer" : ended.error().message));
    }
    attempt.answered = true;
  }
  head_ = std::move(parser_->head());
  co_return true;
}

// The connection serves others as soon as the last byte of the message is here.
void HttpExchange::finish_message() {
  if (!parser_->done() || !connection_) return;
  if (parser_->keep_alive() && buffer_.data().empty() && !unfinished_request_)
    pool_.put(std::move(connection_));
  connection_.reset();
}

Task<HttpResult<std::string_view>> HttpExchange::next_raw(Waiter& waiter) {
  while (connection_) {
    auto step = parser_->feed(buffer_.data());
    if (!step)
      co_return http_fail(step.error().kind,
                          fmt::format("{}: {}", connection_->peer(), step.error().message));
    buffer_.consume(step->consumed);
    finish_message();
    if (!step->body.empty()) co_return step->body;
    if (step->consumed != 0 || !connection_) continue;
    const uint64_t length = announced_length().value_or(k_body_read);
    const auto more = co_await fill(waiter, length >= k_body_read ? k_body_read : k_first_read);
    if (!more) co_return tl::unexpected(more.error());
    if (*more) continue;
    const auto ended = parser_->end_of_input();
    const std::string peer = connection_->peer();
    connection_.reset();
    if (!ended) co_return http_fail(ended.error().kind, fmt::format("{}: {}", peer, ended.error().message));
  }
  co_return std::string_view();
}

Task<HttpResult<std::string_view>> HttpExchange::next_piece(Waiter& waiter) {
  if (!decoder_) {
    auto raw = co_await next_raw(waiter);
    co_return raw;
  }
  for (;;) {
    bool at_end = false;
    if (encoded_.empty()) {
      const auto raw = co_await next_raw(waiter);
      if (!raw) co_return raw;
      encoded_ = *raw;
      at_end = raw->empty();
    }
    const auto decoded = decoder_->decode(encoded_);
    if (!decoded || !decoded->empty()) co_return decoded;
    if (!at_end) continue;
    if (auto complete = decoder_->finish(); !complete) co_return tl::unexpected(complete.error());
    co_return std::string_view();
  }
}

Task<HttpResult<std::string_view>> HttpExchange::next(Waiter& waiter) {
  if (failure_) co_return tl::unexpected(*failure_);
  auto piece = co_await next_piece(waiter);
  if (piece) {
    body_bytes_ += piece->size();
    const bool too_large = body_bytes_ > max_body_bytes_ || announced_length().value_or(0) > max_body_bytes_;
    if (piece->empty() || !too_large) co_return piece;
    piece = http_fail(
        HttpFailure::limit,
        fmt::format("the body of the answer is larger than the limit of {} bytes", max_body_bytes_));
  }
  connection_.reset();
  piece.error().sent = true;
  failure_ = piece.error();
  co_return piece;
}

Task<HttpResult<bool>> HttpExchange::skip_body(Waiter& waiter) {
  uint64_t skipped = 0;
  while (connection_ && skipped <= k_max_skipped_body &&
         announced_length().value_or(0) <= k_max_skipped_body && !parser_->ends_by_close()) {
    auto raw = co_await next_raw(waiter);
    if (!raw && (raw.error().kind == HttpFailure::cancelled || raw.error().kind == HttpFailure::deadline)) {
      co_return tl::unexpected(raw.error());
    }
    if (!raw) break;
    skipped += raw->size();
  }
  connection_.reset();
  co_return true;
}

void HttpExchange::prepare_decoding(const Hop& hop) {
  if (!wants_decoding_ || hop.method == "HEAD") return;
  const auto is_encoding = [](const HttpHeader& header) {
    return equals_ignoring_case(header.name, "Content-Encoding");
  };
  // Encoded more than once is more than was asked for, and handed over as it is.
  auto& headers = head_.headers;
  if (std::count_if(headers.begin(), headers.end(), is_encoding) != 1) return;
  decoder_ = ContentDecoder::make(find_header(headers, "Content-Encoding")->value);
  if (!decoder_) return;
  std::erase_if(headers, [&](const HttpHeader& header) {
    return is_encoding(header) || equals_ignoring_case(header.name, "Content-Length");
  });
}

std::optional<uint64_t> HttpExchange::announced_length() const {
  if (decoder_ || !parser_) return std::nullopt;
  return parser_->content_length();
}

}  // namespace par::core
