#include "core/channel/outcome.hpp"

#include <string_view>

#include "core/base/json.hpp"

namespace par::core {
namespace {

// The channel's JSON leaves out every empty string and a client of 0.
void write_text(json::Writer& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  out.Key(name);
  out.String(text);
}

// {"data":{"type":...,"id":...,"attributes":{<address>, up to where more attributes may follow.
void open_update(json::Writer& out, std::string_view type, std::string_view id, const TaskAddress& address) {
  out.StartObject();
  out.Key("data");
  out.StartObject();
  out.Key("type");
  out.String(type);
  out.Key("id");
  out.String(id);
  out.Key("attributes");
  out.StartObject();
  write_text(out, "task_id", address.task_id);
  if (address.client != 0) {
    out.Key("client");
    out.Int64(address.client);
  }
  write_text(out, "action_fqn", address.action_fqn);
  write_text(out, "job_id", address.job_id);
}

void close_update(json::Writer& out) {
  out.EndObject();
  out.EndObject();
  out.EndObject();
}

std::string text_of(const rapidjson::StringBuffer& buffer) {
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace

PublishFrame success_frame(const TaskAddress& address) {
  rapidjson::StringBuffer buffer;
  json::Writer out(buffer);
  open_update(out, "taskUpdate", "succeed_task", address);
  out.Key("payload");
  out.StartObject();
  out.Key("branch");
  out.String("main");
  out.Key("outputs");
  buffer.Put(':');  // the writer would put it together with the value that the caller adds
  return {text_of(buffer), "}}}}"};
}

std::string failure_body(const TaskAddress& address, const Failure& failure) {
  rapidjson::StringBuffer buffer;
  json::Writer out(buffer);
  open_update(out, "taskUpdate", "fail_task", address);
  out.Key("payload");
  out.StartObject();
  out.Key("error_code");
  out.Int(static_cast<int>(failure.code));
  write_text(out, "error_details", failure.message);
  write_text(out, "api_error", failure.display.empty() ? failure.message : failure.display);
  out.EndObject();
  close_update(out);
  return text_of(buffer);
}

std::string heartbeat_body(const TaskAddress& address) {
  rapidjson::StringBuffer buffer;
  json::Writer out(buffer);
  open_update(out, "heartbeat", address.task_id, address);
  close_update(out);
  return text_of(buffer);
}

}  // namespace par::core
