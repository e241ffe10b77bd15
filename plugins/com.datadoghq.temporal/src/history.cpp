#include "history.hpp"

#include <cctype>
#include <string_view>

#include <par/json.hpp>
#include <par/plugin.hpp>

#include "plugins/common/encoding.hpp"

namespace temporal_plugin {
namespace {

using par::json::Value;
using Kind = CloseEvent::Kind;

constexpr int k_proto3 = 1;
constexpr int k_json = 2;

void add_cause(std::string& text, std::string_view message) {
  if (message.empty()) return;
  if (!text.empty()) text += ": ";
  text += message;
}

std::string causes(const wire::Failure& failure) {
  std::string text;
  const wire::Failure* at = &failure;
  add_cause(text, at->message());
  while (at->has_cause()) {
    at = &at->cause();
    add_cause(text, at->message());
  }
  return text;
}

CloseEvent read(const wire::HistoryEvent& event) {
  CloseEvent result;
  switch (event.attributes_case()) {
    case wire::HistoryEvent::kCompleted:
      result.kind = Kind::completed;
      result.successor = event.completed().new_execution_run_id();
      if (event.completed().result().payloads_size() > 0)
        result.result = event.completed().result().payloads(0);
      break;
    case wire::HistoryEvent::kFailed:
      result.kind = Kind::failed;
      result.successor = event.failed().new_execution_run_id();
      result.text = causes(event.failed().failure());
      break;
    case wire::HistoryEvent::kTimedOut:
      result.kind = Kind::timed_out;
      result.successor = event.timed_out().new_execution_run_id();
      break;
    case wire::HistoryEvent::kContinuedAsNew:
      result.kind = Kind::continued_as_new;
      result.successor = event.continued_as_new().new_execution_run_id();
      break;
    case wire::HistoryEvent::kTerminated:
      result.kind = Kind::terminated;
      result.text = event.terminated().reason();
      break;
    case wire::HistoryEvent::kCanceled:
      result.kind = Kind::canceled;
      break;
    case wire::HistoryEvent::ATTRIBUTES_NOT_SET:
      result.text = "event type " + std::to_string(event.event_type());
      break;
  }
  return result;
}

// The JSON form of a message, as protobuf defines it: camelCase names, of which the original spelling is
// accepted too, and bytes in base64.
const Value* field(const Value& object, std::string_view snake_name) {
  std::string camel;
  for (size_t at = 0; at < snake_name.size(); ++at) {
    const bool word = snake_name[at] == '_' && at + 1 < snake_name.size();
    camel +=
        word ? static_cast<char>(std::toupper(static_cast<unsigned char>(snake_name[++at]))) : snake_name[at];
  }
  const Value* const found = par::json::find(object, camel);
  return found != nullptr ? found : par::json::find(object, snake_name);
}

std::string_view text_field(const Value& object, std::string_view name) {
  const Value* const value = field(object, name);
  return value != nullptr && value->IsString() ? par::json::text(*value) : std::string_view();
}

std::string decode_base64(std::string_view text) {
  std::string bytes;
  if (!plugin_common::base64_decode(text, bytes))
    throw par::Error("the workflow's history has bytes that are not in base64");
  return bytes;
}

std::optional<wire::Payload> first_payload(const Value& attributes) {
  const Value* const result = field(attributes, "result");
  const Value* const list = result == nullptr ? nullptr : field(*result, "payloads");
  if (list == nullptr || !list->IsArray() || list->Empty()) return std::nullopt;
  const Value& first = (*list)[0];
  wire::Payload payload;
  payload.set_data(decode_base64(text_field(first, "data")));
  if (const Value* const metadata = field(first, "metadata"); metadata != nullptr && metadata->IsObject()) {
    for (const auto& member : metadata->GetObject()) {
      if (!member.value.IsString()) continue;
      (*payload.mutable_metadata())[std::string(par::json::text(member.name))] =
          decode_base64(par::json::text(member.value));
    }
  }
  return payload;
}

std::string json_causes(const Value& attributes) {
  std::string text;
  for (const Value* at = field(attributes, "failure"); at != nullptr; at = field(*at, "cause"))
    add_cause(text, text_field(*at, "message"));
  return text;
}

CloseEvent read(const Value& event) {
  constexpr std::pair<std::string_view, Kind> k_kinds[] = {
      {"workflow_execution_completed_event_attributes", Kind::completed},
      {"workflow_execution_failed_event_attributes", Kind::failed},
      {"workflow_execution_timed_out_event_attributes", Kind::timed_out},
      {"workflow_execution_canceled_event_attributes", Kind::canceled},
      {"workflow_execution_terminated_event_attributes", Kind::terminated},
      {"workflow_execution_continued_as_new_event_attributes", Kind::continued_as_new}};
  CloseEvent result;
  for (const auto& [name, kind] : k_kinds) {
    const Value* const attributes = field(event, name);
    if (attributes == nullptr) continue;
    result.kind = kind;
    result.successor = text_field(*attributes, "new_execution_run_id");
    if (kind == Kind::completed) result.result = first_payload(*attributes);
    if (kind == Kind::failed) result.text = json_causes(*attributes);
    if (kind == Kind::terminated) result.text = text_field(*attributes, "reason");
    return result;
  }
  result.text = "event type " + std::string(text_field(event, "event_type"));
  return result;
}

std::optional<CloseEvent> read(const wire::DataBlob& blob) {
  if (blob.encoding_type() == k_proto3) {
    wire::History history;
    if (!history.ParseFromString(blob.data()))
      throw par::Error("the workflow's raw history cannot be read: it is no protobuf message of a history");
    if (history.events_size() == 0) return std::nullopt;
    return read(history.events(history.events_size() - 1));
  }
  if (blob.encoding_type() != k_json) {
    throw par::Error("the workflow's raw history has the encoding " + std::to_string(blob.encoding_type()) +
                     "; expected proto3 (1) or JSON (2)");
  }
  par::json::Document document;
  std::string error;
  if (!par::json::parse(blob.data(), document, error))
    throw par::Error("the workflow's raw history is not valid JSON: " + error);
  const Value* const events = document.IsArray() ? &document : field(document, "events");
  if (events == nullptr || !events->IsArray() || events->Empty()) return std::nullopt;
  return read((*events)[events->Size() - 1]);
}

}  // namespace

std::optional<CloseEvent> last_event(const wire::GetWorkflowExecutionHistoryResponse& response) {
  for (int at = response.raw_history_size() - 1; at >= 0; --at) {
    if (auto event = read(response.raw_history(at))) return event;
  }
  const wire::History& history = response.history();
  if (history.events_size() == 0) return std::nullopt;
  return read(history.events(history.events_size() - 1));
}

}  // namespace temporal_plugin
