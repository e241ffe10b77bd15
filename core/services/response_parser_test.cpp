#include "core/services/response_parser.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"

using namespace par::core;

namespace {

struct Outcome {
  std::string body;
  std::optional<HttpError> error;
  size_t consumed = 0;
};

// Feeds the pieces as they come from a socket: what a step did not consume stands before the next piece.
Outcome feed(ResponseParser& parser, const std::vector<std::string>& pieces) {
  Outcome outcome;
  std::string left;
  for (const auto& piece : pieces) {
    left += piece;
    while (!parser.done()) {
      const auto step = parser.feed(left);
      if (!step) {
        outcome.error = step.error();
        return outcome;
      }
      outcome.body += step->body;
      outcome.consumed += step->consumed;
      left.erase(0, step->consumed);
      if (step->consumed == 0) break;
    }
  }
  return outcome;
}

std::vector<std::string> bytes_of(std::string_view text) {
  std::vector<std::string> out;
  for (const char c : text) out.emplace_back(1, c);
  return out;
}

std::vector<std::string> repeated(const std::string& first, const std::string& again, size_t times) {
  std::vector<std::string> out(times + 1, again);
  out[0] = first;
  return out;
}

const std::string k_chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace

TEST_CASE("A head without end is refused at its limit in whatever pieces it comes") {
  const std::string line = "HTTP/1.1 200 OK\r\n";
  std::string block;
  while (block.size() < 16384) block += "A: b\r\n";
  const auto pieces = GENERATE_COPY(repeated(line, "A: b\r\n", 1'000'000 / 6), repeated(line, block, 60),
                                    bytes_of(line + "A: " + std::string(200'000, 'b')));
  ResponseParser parser(false);
  const auto outcome = feed(parser, pieces);
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind == HttpFailure::limit);
  CHECK(outcome.error->message.find("128 KiB") != std::string::npos);
  CHECK(outcome.consumed <= ResponseParser::k_max_head_bytes);
}

TEST_CASE("The trailer, and the extension of a chunk, are refused at the same limit") {
  struct Case {
    const char* first;
    const char* again;
  };
  const auto test = GENERATE(Case{"0\r\n", "A: b\r\n"}, Case{"0;x=\"", "y"}, Case{"5;x=\"", "y"});
  INFO(test.first);
  std::string block;
  while (block.size() < 1000) block += test.again;
  ResponseParser parser(false);
  const auto outcome = feed(parser, repeated(k_chunked + test.first, block, 200));
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind == HttpFailure::limit);
}

TEST_CASE("A chunked body may come byte by byte") {
  for (const std::string_view body :
       {"0\r\n\r\n", "0\r\nA: b\r\nC: d\r\n\r\n", "0;x=\"y\"\r\n\r\n", "1\r\na\r\n0\r\n\r\n",
        "2;x\r\nab\r\n03\r\ncde\r\n000\r\nA: b\r\n\r\n"}) {
    INFO(body);
    ResponseParser parser(false);
    auto pieces = bytes_of(k_chunked);
    for (auto& piece : bytes_of(body)) pieces.push_back(piece);
    const auto outcome = feed(parser, pieces);
    CHECK(!outcome.error);
    CHECK(parser.done());
    CHECK(outcome.consumed == k_chunked.size() + body.size());
    CHECK(std::string_view("abcde").starts_with(outcome.body));
    ResponseParser at_once(false);
    CHECK(feed(at_once, {k_chunked + std::string(body)}).body == outcome.body);
  }
}

TEST_CASE("Transfer codings that nobody asked for are refused") {
  const auto value = GENERATE("gzip, chunked", "gzip", "chunked, chunked", "chunked, identity", "x");
  INFO(value);
  ResponseParser parser(false);
  const auto outcome =
      feed(parser, {"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + std::string(value) + "\r\n\r\n0\r\n\r\n"});
  REQUIRE(outcome.error);
  CHECK(outcome.error->kind == HttpFailure::protocol);
  ResponseParser identity(false);
  CHECK(feed(identity, {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Identity\r\n\r\nuntil close"}).body ==
        "until close");
  CHECK(identity.ends_by_close());
}

TEST_CASE("A status line is told from one that lacks its last blank") {
  CHECK(look_at_status_line("HTTP/1.1 200\r\n") == StatusLine::lacks_blank);
  CHECK(look_at_status_line("HTTP/1.0 404\r\nA: b") == StatusLine::lacks_blank);
  for (const std::string_view start : {"", "H", "HTTP/1.1 20", "HTTP/1.1 200", "HTTP/1.1 200\r"})
    CHECK(look_at_status_line(start) == StatusLine::incomplete);
  for (const std::string_view start : {"HTTP/1.1 200 ", "HTTP/1.1 200 OK\r\n", "HTTP/2 200\r\n",
                                       "HTTP/1.1 2000\r\n", "HTTP/1.1 20\r\n", "HTTP/1.1 200\n", "\r\n", "x"})
    CHECK(look_at_status_line(start) == StatusLine::fine);
}
