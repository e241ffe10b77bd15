#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/services/connection.hpp"
#include "core/services/connection_pool.hpp"
#include "core/services/content_decoder.hpp"
#include "core/services/dialer.hpp"
#include "core/services/request_rules.hpp"
#include "core/services/response_parser.hpp"

namespace par::core {

/// Bytes that came and were not used yet.
class ReadBuffer {
 public:
  std::string_view data() const { return {bytes_.get() + begin_, end_ - begin_}; }
  void consume(size_t count) { begin_ += count; }
  void clear() { begin_ = end_ = 0; }
  /// Room for at least `least` more bytes.
  std::span<char> room(size_t least);
  void filled(size_t count) { end_ += count; }
  /// Puts `c` before the byte at `at` of data().
  void insert(size_t at, char c);

 private:
  std::unique_ptr<char[]> bytes_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

/// One request with its answer, redirects and repetitions included: the one path that all outgoing HTTP
/// takes. It runs on the thread of its waiter.
class HttpExchange {
 public:
  /// `pool` takes connections back. All references must outlive the exchange.
  HttpExchange(Dialer& dialer, ConnectionPool& pool, const EgressPolicy& policy)
      : dialer_(dialer), pool_(pool), policy_(policy) {}

  /// Sends and waits for the final headers. `request` is borrowed until the task is done.
  Task<HttpResult<bool>> send(Waiter& waiter, const HttpRequest& request);
  /// The next piece of the decoded body, valid until the next call; empty: the end.
  Task<HttpResult<std::string_view>> next(Waiter& waiter);

  HttpResponseHead& head() { return head_; }
  const HttpResponseHead& head() const { return head_; }
  /// How long the body will be, if the answer says so.
  std::optional<uint64_t> announced_length() const;

 private:
  /// How one attempt failed, for the decision whether to repeat it.
  struct Attempt {
    bool answered = false;  ///< a byte of an answer came
    uint64_t sent = 0;
  };
  Task<HttpResult<bool>> transact(Waiter& waiter, const HttpRequest& request, const Hop& hop);
  Task<HttpResult<bool>> attempt(Waiter& waiter, const HttpRequest& request, const Hop& hop,
                                 const Route& route, bool fresh, Attempt& attempt);
  /// Reads the head of the next answer, interim or final.
  Task<HttpResult<bool>> read_head(Waiter& waiter, bool bodiless, Attempt& attempt);
  Task<HttpResult<bool>> fill(Waiter& waiter, size_t least);
  Task<HttpResult<bool>> skip_body(Waiter& waiter);
  Task<HttpResult<std::string_view>> next_piece(Waiter& waiter);
  Task<HttpResult<std::string_view>> next_raw(Waiter& waiter);
  void prepare_decoding(const Hop& hop);
  void finish_message();

  Dialer& dialer_;
  ConnectionPool& pool_;
  EgressPolicy policy_;
  SteadyTime deadline_ = k_never;
  uint64_t max_body_bytes_ = UINT64_MAX;
  uint64_t body_bytes_ = 0;

  std::unique_ptr<Connection> connection_;  ///< null once the message is complete
  ReadBuffer buffer_;
  std::optional<ResponseParser> parser_;
  std::unique_ptr<ContentDecoder> decoder_;
  std::string_view encoded_;  ///< raw body that the decoder has still to take
  bool wants_decoding_ = false;
  bool unfinished_request_ = false;  ///< not all of the request was taken by the peer
  HttpResponseHead head_;
  std::optional<HttpError>
      failure_;  ///< of the body, so that no later call takes a broken end for a good one
};

}  // namespace par::core
