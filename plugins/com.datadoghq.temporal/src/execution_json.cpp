#include "execution_json.hpp"

#include <bit>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <google/protobuf/io/coded_stream.h>
#include <par/plugin.hpp>

#include "plugins/common/encoding.hpp"

namespace temporal_plugin {
namespace {

using google::protobuf::io::CodedInputStream;
using par::json::Writer;
using plugin_common::base64;

enum class Kind {
  text,
  bytes,
  integer,
  boolean,
  float32,
  message,
  messages,     // repeated
  message_map,  // from text to a message
  bytes_map     // from text to bytes
};

// One field of a message: its number on the wire, its key, and the fields of the message that it holds, ended
// by number 0.
struct Field {
  uint32_t number;
  const char* key;
  Kind kind;
  const Field* message = nullptr;
};

constexpr Field k_time[] = {{1, "seconds", Kind::integer}, {2, "nanos", Kind::integer}, {}};
constexpr Field k_execution[] = {{1, "workflow_id", Kind::text}, {2, "run_id", Kind::text}, {}};
constexpr Field k_type[] = {{1, "name", Kind::text}, {}};
constexpr Field k_external_payload[] = {{1, "size_bytes", Kind::integer}, {}};
constexpr Field k_payload[] = {{1, "metadata", Kind::bytes_map},
                               {2, "data", Kind::bytes},
                               {3, "external_payloads", Kind::messages, k_external_payload},
                               {}};
constexpr Field k_memo[] = {{1, "fields", Kind::message_map, k_payload}, {}};
constexpr Field k_search_attributes[] = {{1, "indexed_fields", Kind::message_map, k_payload}, {}};
constexpr Field k_reset_point[] = {{1, "binary_checksum", Kind::text},
                                   {2, "run_id", Kind::text},
                                   {3, "first_workflow_task_completed_id", Kind::integer},
                                   {4, "create_time", Kind::message, k_time},
                                   {5, "expire_time", Kind::message, k_time},
                                   {6, "resettable", Kind::boolean},
                                   {7, "build_id", Kind::text},
                                   {}};
constexpr Field k_reset_points[] = {{1, "points", Kind::messages, k_reset_point}, {}};
constexpr Field k_version_stamp[] = {{1, "build_id", Kind::text}, {3, "use_versioning", Kind::boolean}, {}};
constexpr Field k_deployment[] = {{1, "series_name", Kind::text}, {2, "build_id", Kind::text}, {}};
constexpr Field k_deployment_version[] = {
    {1, "build_id", Kind::text}, {2, "deployment_name", Kind::text}, {}};
constexpr Field k_deployment_transition[] = {{1, "deployment", Kind::message, k_deployment}, {}};
constexpr Field k_version_transition[] = {
    {1, "version", Kind::text}, {2, "deployment_version", Kind::message, k_deployment_version}, {}};
constexpr Field k_versioning_override[] = {{1, "behavior", Kind::integer},
                                           {2, "deployment", Kind::message, k_deployment},
                                           {9, "pinned_version", Kind::text},
                                           {}};
constexpr Field k_versioning_info[] = {{1, "behavior", Kind::integer},
                                       {2, "deployment", Kind::message, k_deployment},
                                       {3, "versioning_override", Kind::message, k_versioning_override},
                                       {4, "deployment_transition", Kind::message, k_deployment_transition},
                                       {5, "version", Kind::text},
                                       {6, "version_transition", Kind::message, k_version_transition},
                                       {7, "deployment_version", Kind::message, k_deployment_version},
                                       {8, "revision_number", Kind::integer},
                                       {9, "continue_as_new_initial_versioning_behavior", Kind::integer},
                                       {}};
constexpr Field k_priority[] = {{1, "priority_key", Kind::integer},
                                {2, "fairness_key", Kind::text},
                                {3, "fairness_weight", Kind::float32},
                                {}};
constexpr Field k_execution_info[] = {
    {1, "execution", Kind::message, k_execution},
    {2, "type", Kind::message, k_type},
    {3, "start_time", Kind::message, k_time},
    {4, "close_time", Kind::message, k_time},
    {5, "status", Kind::integer},
    {6, "history_length", Kind::integer},
    {7, "parent_namespace_id", Kind::text},
    {8, "parent_execution", Kind::message, k_execution},
    {9, "execution_time", Kind::message, k_time},
    {10, "memo", Kind::message, k_memo},
    {11, "search_attributes", Kind::message, k_search_attributes},
    {12, "auto_reset_points", Kind::message, k_reset_points},
    {13, "task_queue", Kind::text},
    {14, "state_transition_count", Kind::integer},
    {15, "history_size_bytes", Kind::integer},
    {16, "most_recent_worker_version_stamp", Kind::message, k_version_stamp},
    {17, "execution_duration", Kind::message, k_time},
    {18, "root_execution", Kind::message, k_execution},
    {19, "assigned_build_id", Kind::text},
    {20, "inherited_build_id", Kind::text},
    {21, "first_run_id", Kind::text},
    {22, "versioning_info", Kind::message, k_versioning_info},
    {23, "worker_deployment_name", Kind::text},
    {24, "priority", Kind::message, k_priority},
    {25, "external_payload_size_bytes", Kind::integer},
    {26, "external_payload_count", Kind::integer},
    {}};

enum WireType : uint32_t { varint = 0, fixed64 = 1, length_delimited = 2, fixed32 = 5 };

// What one occurrence of a field held.
struct Occurrence {
  uint64_t number = 0;     // varint and fixed types
  std::string_view bytes;  // length-delimited types
};
// Numbers of fields to their occurrences in the order of the wire.
using Fields = std::map<uint32_t, std::vector<Occurrence>>;

[[noreturn]] void refuse() {
  throw par::Error("Temporal sent a workflow in its list that is no protobuf message of one");
}

Fields split(std::string_view message) {
  const auto* const begin = reinterpret_cast<const uint8_t*>(message.data());
  CodedInputStream stream(begin, static_cast<int>(message.size()));
  Fields fields;
  while (stream.CurrentPosition() < static_cast<int>(message.size())) {
    const uint32_t tag = stream.ReadTag();
    Occurrence found;
    bool ok = tag >> 3 != 0;
    switch (tag & 7) {
      case varint:
        ok = ok && stream.ReadVarint64(&found.number);
        break;
      case fixed64:
        ok = ok && stream.ReadLittleEndian64(&found.number);
        break;
      case fixed32: {
        uint32_t number = 0;
        ok = ok && stream.ReadLittleEndian32(&number);
        found.number = number;
        break;
      }
      case length_delimited: {
        uint32_t size = 0;
        ok = ok && stream.ReadVarint32(&size);
        const auto at = static_cast<size_t>(stream.CurrentPosition());
        ok = ok && size <= message.size() - at && stream.Skip(static_cast<int>(size));
        if (ok) found.bytes = message.substr(at, size);
        break;
      }
      default:
        ok = false;
    }
    if (!ok) refuse();
    fields[tag >> 3].push_back(found);
  }
  return fields;
}

void write_message(std::string_view message, const Field* fields, Writer& writer);

void write_map(const Field& field, const std::vector<Occurrence>& entries, Writer& writer) {
  // Later entries win; the keys come sorted.
  std::map<std::string_view, std::string_view> values;
  for (const Occurrence& entry : entries) {
    Fields parts = split(entry.bytes);
    const std::string_view key = parts[1].empty() ? std::string_view() : parts[1].back().bytes;
    values[key] = parts[2].empty() ? std::string_view() : parts[2].back().bytes;
  }
  writer.StartObject();
  for (const auto& [key, value] : values) {
    writer.Key(key);
    if (field.kind == Kind::bytes_map) {
      writer.String(base64(value));
    } else {
      write_message(value, field.message, writer);
    }
  }
  writer.EndObject();
}

bool is_zero(const Field& field, const Occurrence& value) {
  switch (field.kind) {
    case Kind::text:
    case Kind::bytes:
      return value.bytes.empty();
    case Kind::integer:
    case Kind::boolean:
    case Kind::float32:
      return value.number == 0;
    default:
      return false;
  }
}

void write_value(const Field& field, const std::vector<Occurrence>& values, Writer& writer) {
  const Occurrence& last = values.back();
  switch (field.kind) {
    case Kind::text:
      writer.String(last.bytes);
      break;
    case Kind::bytes:
      writer.String(base64(last.bytes));
      break;
    case Kind::integer:
      writer.Int64(static_cast<int64_t>(last.number));
      break;
    case Kind::boolean:
      writer.Bool(true);
      break;
    case Kind::float32:
      if (!writer.Double(std::bit_cast<float>(static_cast<uint32_t>(last.number)))) writer.Null();
      break;
    case Kind::message:
      write_message(last.bytes, field.message, writer);
      break;
    case Kind::messages:
      writer.StartArray();
      for (const Occurrence& value : values) write_message(value.bytes, field.message, writer);
      writer.EndArray();
      break;
    case Kind::message_map:
    case Kind::bytes_map:
      write_map(field, values, writer);
      break;
  }
}

// Recurses no deeper than the tables do.
void write_message(std::string_view message, const Field* fields, Writer& writer) {
  const Fields found = split(message);
  writer.StartObject();
  for (; fields->number != 0; ++fields) {
    const auto values = found.find(fields->number);
    if (values == found.end() || is_zero(*fields, values->second.back())) continue;
    writer.Key(fields->key);
    write_value(*fields, values->second, writer);
  }
  writer.EndObject();
}

}  // namespace

void write_execution(std::string_view message, Writer& writer) {
  write_message(message, k_execution_info, writer);
}

}  // namespace temporal_plugin
