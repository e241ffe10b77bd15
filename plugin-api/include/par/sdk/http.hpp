#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <par/sdk/call.hpp>

namespace par {

/// An answer, or rather its head; the body is read piece by piece. Move-only; ending it ends the exchange.
class HttpResponse {
 public:
  struct Header {
    std::string_view name;
    std::string_view value;  ///< bytes, not always UTF-8
  };

  /// Takes over an answer of the host's table.
  HttpResponse(const par_call* call, const par_http* service, par_http_response* response)
      : response_(call, service, response) {}

  int status() const { return raw().http_status; }
  std::string_view reason() const { return view(raw().reason); }
  std::string_view final_url() const { return view(raw().final_url); }
  uint32_t redirects() const { return raw().redirects; }
  /// In wire order, duplicates kept.
  size_t header_count() const { return raw().header_count; }
  Header header(size_t index) const {
    const par_http_header& header = raw().headers[index];
    return {view(header.name), view(header.value)};
  }
  /// First header of that name, compared without case.
  std::optional<std::string_view> header(std::string_view name) const {
    for (size_t at = 0; at < header_count(); ++at) {
      if (same_name(header(at).name, name)) return header(at).value;
    }
    return std::nullopt;
  }

  /// Reads at most `capacity` bytes of the body; 0 is the end. Throws PAR_LIMIT, PAR_DEADLINE,
  /// PAR_CONNECT, ...
  size_t read(char* buffer, size_t capacity) {
    size_t got = 0;
    const par_status status = response_.service()->read(response_.call(), response_.get(),
                                                        reinterpret_cast<uint8_t*>(buffer), capacity, &got);
    if (status != PAR_OK) detail::raise(status, response_.get()->failure_text);
    return got;
  }
  /// The rest of the body. Throws PAR_LIMIT if it has more than `limit` bytes.
  std::string read_all(uint64_t limit = UINT64_MAX) {
    constexpr size_t k_first = 4096;
    constexpr size_t k_step = 256 * 1024;  // how far memory is touched ahead of the bytes that arrive
    constexpr size_t k_believed = 16u << 20;
    std::string body;
    const size_t expected = announced();  // one byte more shows the end without growing
    body.reserve(expected == 0 ? k_first : std::min(expected, k_believed) + 1);
    size_t used = 0;
    for (;;) {
      if (used == body.size()) {
        const size_t room = body.capacity() - used;
        const size_t step = std::min(std::max(used, k_first), k_step);
        body.resize(used + (room == 0 ? step : std::min(room, step)));
      }
      const size_t got = read(body.data() + used, body.size() - used);
      if (got == 0) break;
      used += got;
      if (used > limit) {
        throw Error(PAR_LIMIT, "the answer has more than " + std::to_string(limit) + " bytes");
      }
    }
    body.resize(used);
    return body;
  }

  const par_http_response& raw() const { return *response_.get(); }
  void check(par_status status) const { response_.check(status); }

 private:
  static bool same_name(std::string_view left, std::string_view right) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    if (left.size() != right.size()) return false;
    for (size_t at = 0; at < left.size(); ++at) {
      if (lower(left[at]) != lower(right[at])) return false;
    }
    return true;
  }
  // What Content-Length says, 0 if it is absent or odd.
  size_t announced() const {
    const auto text = header("content-length");
    if (!text || text->empty() || text->size() > 12) return 0;
    size_t value = 0;
    for (const char digit : *text) {
      if (digit < '0' || digit > '9') return 0;
      value = value * 10 + static_cast<size_t>(digit - '0');
    }
    return value;
  }

  detail::Owned<par_http, par_http_response, &par_http::release> response_;
};

/// A request in the making. Method, URL, headers and PEM texts are copied, a body given as a view is not.
class HttpRequest {
 public:
  HttpRequest(const par_call* call, const par_http* service, std::string_view method, std::string_view url)
      : call_(call), service_(service), method_(method), url_(url) {}

  /// Headers go out in this order and spelling. Host, Content-Length, Transfer-Encoding and Connection
  /// are refused.
  HttpRequest& header(std::string_view name, std::string_view value) {
    headers_.emplace_back(name, value);
    return *this;
  }
  /// The body, which must live until send() has returned. Called again it appends. An empty one counts as
  /// a body.
  HttpRequest& body(std::string_view bytes) {
    raw_.flags |= PAR_HTTP_HAS_BODY;
    body_.push_back(to_bytes(bytes));
    return *this;
  }
  /// Hands 3xx answers back instead of following up to ten of them.
  HttpRequest& follow_redirects(bool follow) { return flag(PAR_HTTP_NO_REDIRECT, !follow); }
  /// False accepts any server certificate.
  HttpRequest& verify_certificate(bool verify) { return flag(PAR_HTTP_NO_VERIFY, !verify); }
  /// PEM text that replaces the host's trusted roots.
  HttpRequest& ca(std::string_view pem) { return set(ca_, pem); }
  HttpRequest& client_certificate(std::string_view certificate_pem, std::string_view key_pem) {
    return set(certificate_, certificate_pem).set(key_, key_pem);
  }
  /// Name for SNI and verification, where it is not the URL's host.
  HttpRequest& server_name(std::string_view name) { return set(server_name_, name); }
  HttpRequest& proxy(std::string_view url) { return set(proxy_, url); }
  /// For the exchange with its body; without it httpTimeoutSeconds of the runner. The call's limit
  /// always holds.
  HttpRequest& timeout(std::chrono::milliseconds time) {
    raw_.timeout_ms = time.count();
    return *this;
  }
  /// Only the call's own limit.
  HttpRequest& no_timeout() { return timeout(std::chrono::milliseconds(-1)); }
  HttpRequest& connect_timeout(std::chrono::milliseconds time) {
    raw_.connect_timeout_ms = time.count();
    return *this;
  }
  /// Largest body after decompression; without it 15 MiB. PAR_HTTP_UNLIMITED: any.
  HttpRequest& max_body(uint64_t bytes) {
    raw_.max_body_bytes = bytes;
    return *this;
  }

  /// Sends and waits for the final headers. Throws an Error whose status is the kind: PAR_POLICY,
  /// PAR_RESOLVE, PAR_CONNECT, PAR_TLS, PAR_PROTOCOL, PAR_LIMIT, PAR_DEADLINE, PAR_CANCELLED.
  HttpResponse send() {
    std::vector<par_http_header> headers;
    headers.reserve(headers_.size());
    for (const auto& [name, value] : headers_) headers.push_back({to_bytes(name), to_bytes(value)});
    par_http_request request = raw_;
    request.struct_size = sizeof request;
    request.method = to_str(method_);
    request.url = to_str(url_);
    request.headers = headers.data();
    request.header_count = headers.size();
    request.body = body_.data();
    request.body_count = body_.size();
    request.ca_pem = to_bytes(ca_);
    request.client_cert_pem = to_bytes(certificate_);
    request.client_key_pem = to_bytes(key_);
    request.server_name = to_str(server_name_);
    request.proxy = to_str(proxy_);
    par_http_response* made = nullptr;
    const par_status status = service_->send(call_, &request, &made);
    HttpResponse response(call_, service_, made);
    response.check(status);
    return response;
  }

 private:
  HttpRequest& flag(uint32_t bit, bool on) {
    raw_.flags = on ? raw_.flags | bit : raw_.flags & ~bit;
    return *this;
  }
  HttpRequest& set(std::string& member, std::string_view value) {
    member = value;
    return *this;
  }

  const par_call* call_;
  const par_http* service_;
  par_http_request raw_{};
  std::string method_;
  std::string url_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::vector<par_bytes> body_;
  std::string ca_;
  std::string certificate_;
  std::string key_;
  std::string server_name_;
  std::string proxy_;
};

/// The service "par.http/1" for one call.
class Http {
 public:
  Http(const par_call* call, const par_http* service) : call_(call), service_(service) {}

  HttpRequest request(std::string_view method, std::string_view url) const {
    return HttpRequest(call_, service_, method, url);
  }
  HttpResponse get(std::string_view url) const { return request("GET", url).send(); }

 private:
  const par_call* call_;
  const par_http* service_;
};

inline Http Call::http() const {
  return Http(call_, need(services_.http, PAR_HTTP_SERVICE));
}

}  // namespace par
