#include "core/services/content_decoder.hpp"

#include <algorithm>
#include <array>
#include <new>

#include <zlib.h>

#include "core/base/strings.hpp"

namespace par::core {
namespace {

tl::unexpected<HttpError> malformed(const char* what) {
  return tl::unexpected(HttpError{HttpFailure::protocol, std::string("the compressed body ") + what});
}

}  // namespace

struct ContentDecoder::State {
  z_stream stream{};
  bool deflate = false;
  bool begun = false;  ///< a byte of input has come
  bool ended = false;  ///< the compressed data is complete
  bool over = false;   ///< something else came behind its end, so the rest is not looked at
  bool more = false;   ///< the last output filled its buffer, so there may be more without further input
  std::array<char, 32u << 10> out;

  ~State() {
    if (begun) inflateEnd(&stream);
  }
};

std::unique_ptr<ContentDecoder> ContentDecoder::make(std::string_view content_encoding) {
  const std::string name = to_lower(trim(content_encoding));
  if (name != "gzip" && name != "x-gzip" && name != "deflate") return nullptr;
  return std::unique_ptr<ContentDecoder>(new ContentDecoder(name == "deflate"));
}

ContentDecoder::ContentDecoder(bool deflate) : state_(std::make_unique<State>()) {
  state_->deflate = deflate;
}
ContentDecoder::~ContentDecoder() = default;

Result<std::string_view, HttpError> ContentDecoder::decode(std::string_view& input) {
  auto& stream = state_->stream;
  if (state_->over) input = {};
  while (!input.empty() || state_->more) {
    if (!state_->begun) {
      // "deflate" means zlib's format, yet some servers send the bare data: zlib's first byte has 8 in its
      // low half.
      const bool bare = state_->deflate && (static_cast<unsigned char>(input[0]) & 0x0f) != 8;
      const int window = !state_->deflate ? MAX_WBITS + 16 : bare ? -MAX_WBITS : MAX_WBITS;
      if (inflateInit2(&stream, window) != Z_OK) throw std::bad_alloc();
      state_->begun = true;
    }
    if (state_->ended && !input.empty()) {
      // gzip files may follow one another; anything else behind the end is ignored, as browsers do.
      if (state_->deflate || static_cast<unsigned char>(input[0]) != 0x1f) {
        state_->over = true;
        input = {};
        break;
      }
      inflateReset(&stream);
      state_->ended = false;
    }
    const auto offered = static_cast<uInt>(std::min<size_t>(input.size(), 1u << 20));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream.avail_in = offered;
    stream.next_out = reinterpret_cast<Bytef*>(state_->out.data());
    stream.avail_out = static_cast<uInt>(state_->out.size());
    const int code = inflate(&stream, Z_NO_FLUSH);
    input.remove_prefix(offered - stream.avail_in);
    if (code == Z_STREAM_END) {
      state_->ended = true;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      return malformed("is damaged");
    }
    state_->more = stream.avail_out == 0 && !state_->ended;
    const size_t made = state_->out.size() - stream.avail_out;
    if (made != 0) return std::string_view(state_->out.data(), made);
  }
  return std::string_view();
}

Result<void, HttpError> ContentDecoder::finish() const {
  if (state_->begun && !state_->ended) return malformed("ends too early");
  return {};
}

}  // namespace par::core
