#include "core/telemetry/redactor.hpp"

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "core/base/encoding.hpp"
#include "core/base/secret.hpp"

namespace par::core {
namespace {

constexpr size_t k_shortest = 6;
constexpr std::string_view k_replacement = "[redacted]";

// How the characters of a text stand for the bytes of a value.
enum class Form { plain, percent, json };

// A text to look for. Base64 forms are searched as they are; the value itself also percent-encoded and
// JSON-escaped.
struct Needle {
  Secret text;
  bool escapable = false;
};

// One unit of an encoded text: the bytes it stands for and the characters it takes.
struct Unit {
  std::array<char, 4> bytes{};
  size_t size = 1;
  size_t length = 1;
};

std::optional<unsigned> hex_value(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits) {
    unsigned digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      digit = static_cast<unsigned>((c | 0x20) - 'a' + 10);
    } else {
      return std::nullopt;
    }
    value = value << 4 | digit;
  }
  return value;
}

// XXXX of \uXXXX.
std::optional<unsigned> utf16_unit(std::string_view text) {
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return std::nullopt;
  return hex_value(text.substr(2, 4));
}

Unit utf8_unit(unsigned code, size_t length) {
  Unit unit;
  unit.length = length;
  if (code < 0x80) {
    unit.bytes[0] = static_cast<char>(code);
    return unit;
  }
  unit.size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = unit.size; i-- > 1; code >>= 6) unit.bytes[i] = static_cast<char>(0x80 | (code & 0x3f));
  constexpr std::array<unsigned, 5> k_lead{0, 0, 0xc0, 0xe0, 0xf0};
  unit.bytes[0] = static_cast<char>(k_lead[unit.size] | code);
  return unit;
}

// Decodes the unit at the front of `text`, which is not empty. What is not an escape stands for itself.
Unit decode(std::string_view text, Form form) {
  Unit plain;
  plain.bytes[0] = text[0];
  if (form == Form::percent) {
    if (text[0] == '+') plain.bytes[0] = ' ';
    if (text[0] != '%' || text.size() < 3) return plain;
    const auto value = hex_value(text.substr(1, 2));
    if (!value) return plain;
    plain.bytes[0] = static_cast<char>(*value);
    plain.length = 3;
    return plain;
  }
  if (form == Form::plain || text[0] != '\\' || text.size() < 2) return plain;
  if (const auto first = utf16_unit(text)) {
    if (*first >= 0xd800 && *first < 0xdc00) {
      const auto second = utf16_unit(text.substr(6));
      if (second && *second >= 0xdc00 && *second < 0xe000) {
        return utf8_unit(0x10000 + ((*first - 0xd800) << 10) + (*second - 0xdc00), 12);
      }
    }
    return utf8_unit(*first, 6);
  }
  constexpr std::string_view k_letters = "bfnrt";
  constexpr std::string_view k_controls = "\b\f\n\r\t";
  const size_t letter = k_letters.find(text[1]);
  plain.bytes[0] = letter == std::string_view::npos ? text[1] : k_controls[letter];
  plain.length = 2;
  return plain;
}

// Length of the piece at the front of `text` that stands for `value`; 0 if none does.
size_t match(std::string_view text, std::string_view value, Form form) {
  if (form == Form::plain) return text.starts_with(value) ? value.size() : 0;
  size_t at = 0;
  while (!value.empty()) {
    if (at >= text.size()) return 0;
    const Unit unit = decode(text.substr(at), form);
    if (!value.starts_with(std::string_view(unit.bytes.data(), unit.size))) return 0;
    value.remove_prefix(unit.size);
    at += unit.length;
  }
  return at;
}

// What of `value` can be seen in base64 when `offset` bytes stand before it: the characters that its
// neighbours share are left out.
std::string base64_core(std::string_view value, size_t offset) {
  const size_t first = (offset * 8 + 5) / 6;
  const size_t end = (offset + value.size()) * 8 / 6;
  std::string padded(offset, '\0');
  padded += value;
  std::string encoded = base64_encode(padded);
  std::string core = encoded.substr(first, end - first);
  wipe(padded.data(), padded.size());
  wipe(encoded.data(), encoded.size());
  return core;
}

std::vector<Needle> needles_of(std::string_view value) {
  std::vector<Needle> needles;
  needles.push_back({Secret(std::string(value)), true});
  for (size_t offset = 0; offset < 3; ++offset) {
    std::string core = base64_core(value, offset);
    std::string other = core;
    for (char& c : other) c = c == '+' ? '-' : c == '/' ? '_' : c;
    if (other != core) needles.push_back({Secret(std::move(other)), false});
    needles.push_back({Secret(std::move(core)), false});
  }
  return needles;
}

}  // namespace

struct Redactor::State {
  struct Entry {
    size_t uses = 0;
    uint64_t id = 0;
    std::vector<Needle> needles;
  };
  using Bucket = std::vector<const Needle*>;

  static size_t bucket_of(char first) { return static_cast<unsigned char>(first); }

  void index(const Entry& entry) {
    for (const Needle& needle : entry.needles) buckets[bucket_of(needle.text.reveal()[0])].push_back(&needle);
  }
  void unindex(const Entry& entry) {
    for (const Needle& needle : entry.needles) {
      std::erase(buckets[bucket_of(needle.text.reveal()[0])], &needle);
    }
  }

  // Longest registered value that stands at the front of `text`, as a length in `text`.
  size_t longest_match(std::string_view text) const {
    size_t longest = 0;
    const auto look = [&](char first, Form form) {
      for (const Needle* needle : buckets[bucket_of(first)]) {
        if (form != Form::plain && !needle->escapable) continue;
        longest = std::max(longest, match(text, needle->text.reveal(), form));
      }
    };
    look(text[0], Form::plain);
    look(decode(text, Form::percent).bytes[0], Form::percent);
    look(decode(text, Form::json).bytes[0], Form::json);
    return longest;
  }

  mutable std::shared_mutex mutex;
  std::atomic<size_t> size{0};  // of by_id; lets redact() pass without the lock
  uint64_t last_id = 0;
  std::map<uint64_t, Entry> by_id;
  std::map<std::string_view, uint64_t> by_value;  // views into the entries' first needles
  std::array<Bucket, 256> buckets;                // by first byte
};

Redactor::Redactor() : state_(std::make_unique<State>()) {}
Redactor::~Redactor() = default;

Redactor::Registration Redactor::add(std::string_view value) {
  if (value.size() < k_shortest) return {};
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    if (const auto known = state.by_value.find(value); known != state.by_value.end()) {
      ++state.by_id.at(known->second).uses;
      return {this, known->second};
    }
  }
  std::vector<Needle> needles = needles_of(value);  // outside the lock: takes a while for large values
  const std::lock_guard lock(state.mutex);
  if (const auto known = state.by_value.find(value); known != state.by_value.end()) {
    ++state.by_id.at(known->second).uses;
    return {this, known->second};
  }
  const uint64_t id = ++state.last_id;
  State::Entry& entry = state.by_id[id];
  entry.uses = 1;
  entry.id = id;
  entry.needles = std::move(needles);
  state.by_value.emplace(entry.needles.front().text.reveal(), id);
  state.index(entry);
  state.size.store(state.by_id.size(), std::memory_order_release);
  return {this, id};
}

void Redactor::add_forever(std::string_view value) {
  Registration registration = add(value);
  registration.redactor_ = nullptr;  // never counted down
}

std::string Redactor::redact(std::string_view text) const {
  const State& state = *state_;
  if (state.size.load(std::memory_order_acquire) == 0) return std::string(text);
  std::string out;
  size_t copied = 0;        // everything before is in `out`
  size_t hidden_start = 0;  // the open match, if hidden_end > 0: grows while further ones overlap it
  size_t hidden_end = 0;
  const auto close = [&] {
    if (hidden_end == 0) return;
    out.append(text.substr(copied, hidden_start - copied)).append(k_replacement);
    copied = hidden_end;
  };
  const std::shared_lock lock(state.mutex);
  for (size_t at = 0; at < text.size(); ++at) {
    const size_t length = state.longest_match(text.substr(at));
    if (length == 0) continue;
    if (at >= hidden_end) {
      close();
      hidden_start = at;
    }
    hidden_end = std::max(hidden_end, at + length);
  }
  close();
  return out.append(text.substr(copied));
}

Redactor::Registration::Registration(Registration&& other) noexcept
    : redactor_(std::exchange(other.redactor_, nullptr)), id_(other.id_) {}

Redactor::Registration& Redactor::Registration::operator=(Registration&& other) noexcept {
  if (this != &other) {
    reset();
    redactor_ = std::exchange(other.redactor_, nullptr);
    id_ = other.id_;
  }
  return *this;
}

Redactor::Registration::~Registration() {
  reset();
}

void Redactor::Registration::reset() noexcept {
  if (redactor_ == nullptr) return;
  State& state = *std::exchange(redactor_, nullptr)->state_;
  const std::lock_guard lock(state.mutex);
  const auto entry = state.by_id.find(id_);
  if (--entry->second.uses > 0) return;
  state.unindex(entry->second);
  state.by_value.erase(entry->second.needles.front().text.reveal());
  state.by_id.erase(entry);
  state.size.store(state.by_id.size(), std::memory_order_release);
}

}  // namespace par::core
