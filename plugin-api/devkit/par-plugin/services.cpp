// The services of the checking host: nothing of them reaches the outside.
#include <algorithm>
#include <cstring>

#include <par/http.h>
#include <par/net.h>
#include <par/process.h>

#include "plugin-api/devkit/par-plugin/host.hpp"

namespace par::kit {
namespace {

constexpr std::string_view k_failure_text = "the checking host lets this fail";
constexpr uint64_t k_default_body = 15u << 20;

par_bytes bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// What an operation answers at its beginning.
par_status begin(Call& call) {
  const Behaviour& behaviour = call.behaviour();
  if (behaviour.block) return call.wait_for_cancel();
  if (call.state() == PAR_STATE_CANCEL) return PAR_CANCELLED;
  return behaviour.fail_reads_only ? PAR_OK : behaviour.failure;
}

par_status begin_read(Call& call) {
  if (call.state() == PAR_STATE_CANCEL) return PAR_CANCELLED;
  return call.behaviour().fail_reads_only ? call.behaviour().failure : PAR_OK;
}

struct Response : par_http_response {
  HttpAnswer answer;
  std::vector<par_http_header> header_list;
  std::string url;
  size_t at = 0;
  uint64_t limit = k_default_body;
};

// Also what belongs to the object that the plugin sees goes with its release, so that a later use is found.
template <typename Object>
void give(Call& call, std::shared_ptr<Object> object, par_status status) {
  object->failure = status;
  if (status != PAR_OK) object->failure_text = borrow(k_failure_text);
  call.handed_out(object);
}

par_status send(const par_call* abi, const par_http_request* request, par_http_response** response) {
  Call& call = Call::of(abi);
  auto made = std::make_shared<Response>();
  static_cast<par_http_response&>(*made) = {};
  made->struct_size = sizeof(par_http_response);
  const par_status status = begin(call);
  if (status == PAR_OK) {
    made->answer = call.http_answer();
    made->http_status = made->answer.status;
    for (const auto& [name, value] : made->answer.headers) {
      made->header_list.push_back({bytes(name), bytes(value)});
    }
    made->headers = made->header_list.data();
    made->header_count = made->header_list.size();
    made->reason = bytes("Checked");
  }
  made->url = copy(request->url);
  made->final_url = borrow(made->url);
  if (request->max_body_bytes != 0) made->limit = request->max_body_bytes;
  *response = made.get();
  give(call, made, status);
  return status;
}

par_status read_body(const par_call* abi, par_http_response* response, uint8_t* buffer, size_t capacity,
                     size_t* got) {
  auto& of = *static_cast<Response*>(response);
  *got = 0;
  par_status status = begin_read(Call::of(abi));
  if (status == PAR_OK && of.at >= of.limit) status = PAR_LIMIT;
  if (status != PAR_OK) {
    response->failure = status;
    response->failure_text = borrow(k_failure_text);
    return status;
  }
  *got = std::min(capacity, of.answer.body.size() - of.at);
  std::memcpy(buffer, of.answer.body.data() + of.at, *got);
  of.at += *got;
  return PAR_OK;
}

void release(const par_call* call, const void* object) {
  Call::of(call).take_back(object);
}

struct Child : par_child {
  ProcessAnswer answer;
  size_t at = 0;  ///< of standard output, then of standard error
};

par_status start(const par_call* abi, const par_process_request*, par_child** child) {
  Call& call = Call::of(abi);
  auto made = std::make_shared<Child>();
  static_cast<par_child&>(*made) = {};
  made->struct_size = sizeof(par_child);
  const par_status status = begin(call);
  if (status == PAR_OK) made->answer = call.process_answer();
  *child = made.get();
  give(call, made, status);
  return status;
}

par_status read_output(const par_call* abi, par_child* child, int32_t* stream, uint8_t* buffer,
                       size_t capacity, size_t* got) {
  auto& of = *static_cast<Child*>(child);
  *got = 0;
  *stream = PAR_STDOUT;
  const par_status status = begin_read(Call::of(abi));
  if (status != PAR_OK) {
    child->failure = status;
    child->failure_text = borrow(k_failure_text);
    return status;
  }
  const size_t output = of.answer.output.size();
  const bool of_output = of.at < output;
  const std::string& text = of_output ? of.answer.output : of.answer.errors;
  const size_t from = of_output ? of.at : of.at - output;
  *stream = of_output || text.size() == from ? PAR_STDOUT : PAR_STDERR;
  *got = std::min(capacity, text.size() - from);
  std::memcpy(buffer, text.data() + from, *got);
  of.at += *got;
  if (*got == 0) {
    child->exit_code = of.answer.exit_code;
    child->term_signal = of.answer.signal;
  }
  return PAR_OK;
}

struct Addresses : par_addresses {
  std::string text;
  par_str view;
};

// Names lead nowhere here but where --net or a check says: whoever dials all the same is found by the check
// of the network.
par_status resolve(const par_call* abi, par_str host, uint16_t port, par_addresses** addresses) {
  Call& call = Call::of(abi);
  auto made = std::make_shared<Addresses>();
  static_cast<par_addresses&>(*made) = {};
  made->struct_size = sizeof(par_addresses);
  par_status status = begin(call);
  if (status == PAR_OK) {
    made->text = call.address_of(copy(host), port);
    made->view = borrow(made->text);
    static_cast<par_addresses&>(*made).addresses = &made->view;
    made->count = made->text.empty() ? 0 : 1;
    if (made->count == 0) status = PAR_POLICY;
  }
  *addresses = made.get();
  give(call, made, status);
  return status;
}

par_status trust_roots(const par_call* abi, par_pem** pem) {
  Call& call = Call::of(abi);
  auto made = std::make_shared<par_pem>();
  made->struct_size = sizeof(par_pem);
  const par_status status = begin(call);
  *pem = made.get();
  give(call, made, status);
  return status;
}

}  // namespace

const void* find_service(std::string_view id, TableForm form) {
  // One table of each form for the life of the process, as the ABI promises until close.
  if (id == PAR_HTTP_SERVICE) {
    static const Table<par_http> table({sizeof(par_http), 0, send, read_body,
                                        [](const par_call* call, par_http_response* response) {
                                          release(call, static_cast<Response*>(response));
                                        }},
                                       form);
    return table.get();
  }
  if (id == PAR_NET_SERVICE) {
    static const Table<par_net> table(
        {sizeof(par_net), 0, resolve,
         [](const par_call* call, par_addresses* addresses) {
           release(call, static_cast<Addresses*>(addresses));
         },
         trust_roots, [](const par_call* call, par_pem* pem) { release(call, pem); }},
        form);
    return table.get();
  }
  if (id == PAR_PROCESS_SERVICE) {
    static const Table<par_process> table(
        {sizeof(par_process), 0, start, read_output,
         [](const par_call* call, par_child* child) { release(call, static_cast<Child*>(child)); }},
        form);
    return table.get();
  }
  return nullptr;
}

}  // namespace par::kit
