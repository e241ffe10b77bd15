#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <par/plugin.hpp>

namespace par::test {

/// A host made of plain tables: records what the plugin does and answers as the test says.
struct FakeHost {
  // What the test sets.
  int32_t state = PAR_STATE_RUN;
  int64_t remaining = 5000;
  uint64_t max_result = 1000;
  par_status result_status = PAR_OK;
  par_status wait_status = PAR_OK;
  bool offer_http = true;
  bool offer_net = true;
  bool offer_process = true;
  uint32_t http_size = sizeof(par_http);
  par_status send_status = PAR_OK;  // with failure_text
  par_status read_status = PAR_OK;  // after all pieces
  std::string failure_text;
  int32_t http_status = 200;
  std::vector<std::pair<std::string, std::string>> answer_headers;
  std::deque<std::string> pieces;  // body, or output of the child ("E" in front: standard error)
  struct Answer {
    int32_t status = 200;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
  };
  std::deque<Answer> answers;  // taken one per request, instead of the three above, while there are any
  int32_t exit_code = 3;

  // What the plugin did.
  std::string result;
  std::string message;
  std::string display;
  std::vector<std::string> logs;
  std::vector<std::string> secrets;
  int open_objects = 0;  // handed out and not released
  std::string sent;      // the HTTP request or command as text
  std::vector<std::string> all_sent;
  std::vector<int64_t> waits;
  std::map<uint64_t, std::pair<void (*)(void*), void*>> cancels;
  uint64_t next_cancel = 1;

  FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  /// Runs what on_cancel registered.
  void cancel() {
    state = PAR_STATE_CANCEL;
    for (const auto& [id, entry] : cancels) entry.first(entry.second);
  }

  par_host host{};
  par_call call{};
  par_http http{};
  par_net net{};
  par_process process{};

 private:
  static FakeHost& of(const par_call* call) { return *static_cast<FakeHost*>(call->host_data); }

  struct Response {
    par_http_response c{};
    std::string text;
    std::vector<par_http_header> headers;
  };
  struct Addresses {
    par_addresses c{};
    std::string text;
    std::vector<std::string> list;
    std::vector<par_str> strs;
  };

  void fill_call();
  void fill_http();
  void fill_net();
  void fill_process();
};

inline std::string text(par_str s) {
  return std::string(view(s));
}
inline std::string text(par_bytes s) {
  return std::string(view(s));
}

inline FakeHost::FakeHost() {
  host.struct_size = sizeof host;
  host.abi_minor = PAR_ABI_MINOR;
  host.host_data = this;
  host.name = to_str("fake");
  host.version = to_str("1");
  host.log = [](const par_host* self, const par_call* line_call, int32_t level, par_str line) {
    static_cast<FakeHost*>(self->host_data)
        ->logs.push_back((line_call == nullptr ? "host " : "call ") + std::to_string(level) + " " +
                         text(line));
  };
  host.secret = [](const par_host* self, par_bytes value) {
    static_cast<FakeHost*>(self->host_data)->secrets.push_back("host " + text(value));
  };
  host.service = [](const par_host* self, const char* id) -> const void* {
    auto& fake = *static_cast<FakeHost*>(self->host_data);
    const std::string_view name(id);
    if (name == PAR_HTTP_SERVICE && fake.offer_http) return &fake.http;
    if (name == PAR_NET_SERVICE && fake.offer_net) return &fake.net;
    if (name == PAR_PROCESS_SERVICE && fake.offer_process) return &fake.process;
    return nullptr;
  };
  fill_call();
  fill_http();
  fill_net();
  fill_process();
}

inline void FakeHost::fill_call() {
  call.struct_size = sizeof call;
  call.host_data = this;
  call.state = [](const par_call* self) { return of(self).state; };
  call.remaining_ms = [](const par_call* self) { return of(self).remaining; };
  call.wait = [](const par_call* self, int64_t ms) {
    of(self).waits.push_back(ms);
    return of(self).wait_status;
  };
  call.on_cancel = [](const par_call* self, void (*fn)(void*), void* arg, uint64_t* id) -> par_status {
    FakeHost& fake = of(self);
    if (fake.state == PAR_STATE_CANCEL) return PAR_CANCELLED;
    *id = fake.next_cancel++;
    fake.cancels[*id] = {fn, arg};
    return PAR_OK;
  };
  call.off_cancel = [](const par_call* self, uint64_t id) { of(self).cancels.erase(id); };
  call.secret = [](const par_call* self, par_bytes value) {
    of(self).secrets.push_back("call " + text(value));
  };
  call.max_result_bytes = [](const par_call* self) { return of(self).max_result; };
  call.result = [](const par_call* self, const par_str* parts, size_t count) {
    FakeHost& fake = of(self);
    std::string whole;
    for (size_t at = 0; at < count; ++at) whole += text(parts[at]);
    if (fake.result_status != PAR_OK) return fake.result_status;
    if (whole.size() > fake.max_result) return par_status{PAR_LIMIT};
    fake.result = whole;
    return par_status{PAR_OK};
  };
  call.error = [](const par_call* self, par_str detail, par_str shown) {
    of(self).message = text(detail);
    of(self).display = text(shown);
  };
}

inline void FakeHost::fill_http() {
  http.struct_size = http_size;
  http.send = [](const par_call* self, const par_http_request* request, par_http_response** out) {
    FakeHost& fake = of(self);
    fake.sent = text(request->method) + " " + text(request->url) + "\n";
    for (size_t at = 0; at < request->header_count; ++at) {
      fake.sent += text(request->headers[at].name) + ": " + text(request->headers[at].value) + "\n";
    }
    fake.sent += "flags=" + std::to_string(request->flags) +
                 " timeout=" + std::to_string(request->timeout_ms) +
                 " max=" + std::to_string(request->max_body_bytes) + "\n";
    for (size_t at = 0; at < request->body_count; ++at) fake.sent += text(request->body[at]);
    fake.all_sent.push_back(fake.sent);
    if (!fake.answers.empty()) {
      fake.http_status = fake.answers.front().status;
      fake.answer_headers = fake.answers.front().headers;
      fake.pieces = {fake.answers.front().body};
      fake.answers.pop_front();
    }
    auto* response = new Response;
    ++fake.open_objects;
    response->c.struct_size = sizeof response->c;
    response->text = fake.failure_text;
    response->c.failure = fake.send_status;
    response->c.failure_text = to_str(response->text);
    if (fake.send_status == PAR_OK) {
      response->c.http_status = fake.http_status;
      response->c.reason = to_bytes("Fine");
      response->c.final_url = to_str("http://final/");
      for (const auto& [name, value] : fake.answer_headers) {
        response->headers.push_back({to_bytes(name), to_bytes(value)});
      }
      response->c.headers = response->headers.data();
      response->c.header_count = response->headers.size();
    }
    *out = &response->c;
    return fake.send_status;
  };
  http.read = [](const par_call* self, par_http_response*, uint8_t* buffer, size_t capacity, size_t* got) {
    FakeHost& fake = of(self);
    *got = 0;
    if (fake.pieces.empty()) return fake.read_status;
    std::string& piece = fake.pieces.front();
    *got = piece.copy(reinterpret_cast<char*>(buffer), capacity);
    piece.erase(0, *got);
    if (piece.empty()) fake.pieces.pop_front();
    return par_status{PAR_OK};
  };
  http.release = [](const par_call* self, par_http_response* response) {
    --of(self).open_objects;
    delete reinterpret_cast<Response*>(response);
  };
}

inline void FakeHost::fill_net() {
  net.struct_size = sizeof net;
  net.resolve = [](const par_call* self, par_str name, uint16_t port, par_addresses** out) {
    FakeHost& fake = of(self);
    fake.sent = text(name) + ":" + std::to_string(port);
    auto* addresses = new Addresses;
    ++fake.open_objects;
    addresses->c.struct_size = sizeof addresses->c;
    addresses->c.failure = fake.send_status;
    addresses->text = fake.failure_text;
    addresses->c.failure_text = to_str(addresses->text);
    if (fake.send_status == PAR_OK) {
      addresses->list = {"127.0.0.1", "::1"};
      for (const std::string& address : addresses->list) addresses->strs.push_back(to_str(address));
      addresses->c.addresses = addresses->strs.data();
      addresses->c.count = addresses->strs.size();
    }
    *out = &addresses->c;
    return fake.send_status;
  };
  net.release_addresses = [](const par_call* self, par_addresses* addresses) {
    --of(self).open_objects;
    delete reinterpret_cast<Addresses*>(addresses);
  };
  net.trust_roots = [](const par_call* self, par_pem** out) {
    ++of(self).open_objects;
    auto* pem = new par_pem{};
    pem->struct_size = sizeof *pem;
    pem->pem = to_bytes("PEM");
    *out = pem;
    return par_status{PAR_OK};
  };
  net.release_pem = [](const par_call* self, par_pem* pem) {
    --of(self).open_objects;
    delete pem;
  };
}

inline void FakeHost::fill_process() {
  process.struct_size = sizeof process;
  process.start = [](const par_call* self, const par_process_request* request, par_child** out) {
    FakeHost& fake = of(self);
    fake.sent.clear();
    for (size_t at = 0; at < request->argc; ++at) fake.sent += text(request->argv[at]) + "|";
    for (size_t at = 0; at < request->environment_count; ++at)
      fake.sent += text(request->environment[at]) + "|";
    fake.sent +=
        text(request->directory) + "|" + text(request->input) + "|" + std::to_string(request->overflow);
    fake.all_sent.push_back(fake.sent);
    ++fake.open_objects;
    auto* child = new par_child{};
    child->struct_size = sizeof *child;
    child->failure = fake.send_status;
    child->failure_text = to_str(fake.failure_text);
    *out = child;
    return fake.send_status;
  };
  process.read = [](const par_call* self, par_child* child, int32_t* stream, uint8_t* buffer, size_t capacity,
                    size_t* got) {
    FakeHost& fake = of(self);
    *got = 0;
    if (fake.pieces.empty()) {
      child->exit_code = fake.exit_code;
      return fake.read_status;
    }
    std::string piece = fake.pieces.front();
    fake.pieces.pop_front();
    *stream = piece[0] == 'E' ? PAR_STDERR : PAR_STDOUT;
    *got = piece.copy(reinterpret_cast<char*>(buffer), capacity);
    return par_status{PAR_OK};
  };
  process.release = [](const par_call* self, par_child* child) {
    --of(self).open_objects;
    delete child;
  };
}

}  // namespace par::test
