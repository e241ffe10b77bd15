#include "plugin-api/devkit/par-plugin/hostile.hpp"

#include <array>
#include <csignal>
#include <cstdint>

#include "core/base/json.hpp"
#include "core/plugin/inputs.hpp"

namespace par::kit {
namespace {

std::string deep(size_t levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

std::string repeated(std::string_view text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

// Every text below `value` becomes `text`, every number `number`.
void replace(json::Value& value, const std::string& text, const json::Value& number,
             json::Document::AllocatorType& memory) {
  if (value.IsString()) {
    value.SetString(text.data(), static_cast<rapidjson::SizeType>(text.size()), memory);
  } else if (value.IsNumber()) {
    value.CopyFrom(number, memory);
  } else if (value.IsArray()) {
    for (auto& item : value.GetArray()) replace(item, text, number, memory);
  } else if (value.IsObject()) {
    for (auto& member : value.GetObject()) replace(member.value, text, number, memory);
  }
}

std::vector<std::string> odd_bodies() {
  return {"",
          "{",
          "null",
          "[]",
          "{\"items\":null}",
          "{\"items\":[null,1,\"x\",{}],\"message\":{}}",
          deep(250),
          deep(200'000),
          "{\"a\":\"" + std::string(2u << 20, 'x') + "\"}",
          std::string("\xff\xfe\x00\xc0\x80", 5),
          "{\"text\":\"\xed\xa0\x80\"}",
          "{\"n\":1e999}",
          std::string(3u << 20, '\0')};
}

std::vector<Answer> hostile_servers() {
  std::vector<Answer> all;
  for (std::string& body : odd_bodies()) {
    all.emplace_back(HttpAnswer{200, {{"Content-Type", "application/json"}}, std::move(body)});
  }
  for (const int status : {0, 100, 204, 304, 401, 404, 429, 500, 599, 999, -1}) {
    all.emplace_back(HttpAnswer{status, {}, "{}"});
  }
  HttpAnswer headers;
  for (int i = 0; i < 500; ++i) headers.headers.emplace_back("X-" + std::to_string(i), "\xff\x80");
  headers.headers.emplace_back("", "");
  headers.headers.emplace_back("Content-Type", std::string(60'000, ';'));
  headers.headers.emplace_back("Location", "http://[::1");
  headers.headers.emplace_back("Retry-After", "-99999999999999999999");
  all.emplace_back(std::move(headers));
  return all;
}

std::vector<Answer> hostile_programs() {
  std::vector<Answer> all;
  for (const int exit_code : {0, 1}) {
    for (const std::string& text : odd_bodies()) {
      all.emplace_back(ProcessAnswer{text, "", exit_code, 0});
      all.emplace_back(ProcessAnswer{"", text, exit_code, 0});
    }
  }
  for (const int exit_code : {-1, 127, 255, INT32_MAX}) {
    all.emplace_back(ProcessAnswer{"{}", "lost", exit_code, 0});
  }
  for (const int signal : {SIGKILL, SIGSEGV, -1, INT32_MAX}) {
    all.emplace_back(ProcessAnswer{"", "", 0, signal});
  }
  return all;
}

std::vector<PeerScript> make_hostile_peers() {
  using namespace std::string_literals;
  const std::string rubbish = repeated("\xff\x00\x7f\x80"s, 256u << 10);
  const std::string beginnings[] = {
      ""s,
      rubbish,
      std::string(1u << 20, '\0'),
      "HTTP/1.1 400 Bad Request\r\nContent-Length: 99999999999999999999\r\n\r\n"s,
      "\x15\x03\x03\x00\x02\x02\x28"s,                    // TLS: a fatal alert
      "\x16\x03\x03\xff\xff\x02\xff\xff\xff"s + rubbish,  // TLS: a hello without end
      "\x00\x00\x00\x04\x00\x00\x00\x00\x00"s + rubbish,  // HTTP/2: settings, then rubbish
      "\xff\xff\xff\x04\x00\x00\x00\x00\x00"s,            // HTTP/2: the longest frame, cut
      "\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x0b"s,
      "N"s,                                                              // PostgreSQL: no TLS
      "S"s + rubbish,                                                    // PostgreSQL: TLS, then rubbish
      "R\x00\x00\x00\x08\x00\x00\x00\x00Z\x7f\xff\xff\xffI"s,            // PostgreSQL: welcome, then a length
      "R\x00\x00\x00\x08\x00\x00\x00\x00Z\x00\x00\x00\x05I"s + rubbish,  // PostgreSQL: ready, then rubbish
      "E\x00\x00\x00\x04"s,                                              // PostgreSQL: an empty error
      "E\x7f\xff\xff\xff" + rubbish,
  };
  std::vector<PeerScript> all;
  for (const std::string& bytes : beginnings) {
    all.push_back({bytes, false});
    all.push_back({bytes, true});
  }
  return all;
}

const std::array<std::string, 8>& odd_texts() {
  static const std::array<std::string, 8> k_texts = {"",
                                                     std::string(256u << 10, 'A'),
                                                     std::string("a\0b", 3),
                                                     "../../../../etc/passwd",
                                                     "\r\nX-Injected: 1\r\n",
                                                     "{{ inputs }}%s%n%00",
                                                     "\xf0\x9f\x92\xa5\xe2\x80\xae\xef\xbf\xbf",
                                                     "' OR 1=1; --"};
  return k_texts;
}

}  // namespace

std::vector<std::string> hostile_inputs(const std::string& inputs, const core::Schema& schema) {
  std::vector<std::string> all;
  const auto add = [&](std::string text) {
    auto prepared = core::prepare_inputs(std::move(text), schema);
    if (prepared) all.push_back(std::move(prepared->json));
  };
  json::Document numbers;
  std::string ignored;
  json::parse(R"([0, -1, 9223372036854775807, -9223372036854775808, 1e308, 0.1, 18446744073709551615, 1])",
              numbers, ignored);
  for (rapidjson::SizeType i = 0; i < odd_texts().size(); ++i) {
    json::Document document;
    if (!json::parse(inputs, document, ignored)) continue;
    replace(document, odd_texts()[i], numbers[i], document.GetAllocator());
    add(json::write(document));
    // One member at a time, since one that does not fit the schema would spoil the others.
    if (!json::parse(inputs, document, ignored) || !document.IsObject()) continue;
    for (rapidjson::SizeType member = 0; member < document.MemberCount(); ++member) {
      json::Document changed;
      if (!json::parse(inputs, changed, ignored)) continue;
      replace((changed.MemberBegin() + member)->value, odd_texts()[i], numbers[i], changed.GetAllocator());
      add(json::write(changed));
    }
  }
  const bool empty = inputs.find('"') == std::string::npos;
  const std::string rest = empty ? "}" : "," + inputs.substr(inputs.find('"'));
  add("{\"deep\":" + deep(250) + rest);
  add("{\"wide\":[0" + repeated(",0", 100'000) + "]" + rest);
  add("{\"twice\":1,\"twice\":{}" + rest);
  add("{}");
  return all;
}

std::vector<std::string> hostile_connections(const std::string& connection) {
  std::vector<std::string> all = {R"({"id":"","auth":"none","root_tokens":[]})",
                                  R"({"id":"x","auth":"basic","root_tokens":[]})",
                                  R"({"id":"x","auth":"token","root_tokens":[{"name":"","value":""}]})"};
  for (const std::string& text : odd_texts()) {
    json::Document document;
    std::string ignored;
    if (!json::parse(connection, document, ignored) || !document.IsObject()) continue;
    for (auto& member : document.GetObject()) {
      const std::string_view name = json::text(member.name);
      if (name == "auth") continue;
      if (name != "root_tokens") {
        replace(member.value, text, member.value, document.GetAllocator());
        continue;
      }
      for (auto& token : member.value.GetArray())
        replace(token["value"], text, token, document.GetAllocator());
    }
    all.push_back(json::write(document));
  }
  return all;
}

std::vector<std::string> inputs_of_other_types() {
  return {"null", "true", "0", "\"x\"", "[]", "[{}]"};
}

const std::vector<Answer>& hostile_answers(size_t kind) {
  static const std::vector<Answer> k_servers = hostile_servers();
  static const std::vector<Answer> k_programs = hostile_programs();
  return kind == Answer(HttpAnswer()).index() ? k_servers : k_programs;
}

const std::vector<PeerScript>& hostile_peers() {
  static const std::vector<PeerScript> k_peers = make_hostile_peers();
  return k_peers;
}

}  // namespace par::kit
