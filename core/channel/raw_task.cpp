#include "core/channel/raw_task.hpp"

#include <array>

#include "core/base/encoding.hpp"
#include "core/base/json.hpp"

namespace par::core {
namespace {

constexpr size_t k_max_body = 48u << 20;

// Follows the path of member names from the root and keeps the few values that are wanted; everything else
// passes by. Only the levels that lead to a wanted value have a state; below any other member just the depth
// is counted.
class TaskReader {
 public:
  using Ch = char;
  enum class Place { root, answer, data, attributes, envelope, signatures, signature };
  // A member whose value is wanted, of the object that is being read.
  enum class Member {
    other,
    data,
    id,
    attributes,
    name,
    bundle_id,
    client,
    job_id,
    trace_id,
    span_id,
    signed_envelope,
    envelope_data,
    hash_type,
    signatures,
    key_type,
    key_id,
    signature_bytes
  };

  bool Null() { return true; }  // the same as an absent member
  bool Bool(bool) { return skipping() || tracing() || mistyped(); }
  bool Int(int value) { return integer(value, value >= 0); }
  bool Uint(unsigned value) { return integer(static_cast<int64_t>(value), true); }
  bool Int64(int64_t value) { return integer(value, value >= 0); }
  bool Uint64(uint64_t value) { return integer(static_cast<int64_t>(value), value <= INT64_MAX, value); }
  bool Double(double) { return skipping() || tracing() || mistyped(); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) {
    return false;
  }  // the parser is not asked for these
  bool String(const char* text, rapidjson::SizeType length, bool) {
    return skipping() || string({text, length});
  }

  bool StartObject() {
    if (skipping()) return skip();
    switch (place_) {
      case Place::root:
        return enter(Place::answer);
      case Place::answer:
        has_data_ = true;
        return enter(Place::data);
      case Place::data:
        if (member_ != Member::attributes) return mistyped();
        task_.has_attributes = true;
        return enter(Place::attributes);
      case Place::attributes:
        if (member_ != Member::signed_envelope) return mistyped();
        task_.envelope.emplace();
        return enter(Place::envelope);
      case Place::signatures:
        task_.envelope->signatures.emplace_back();
        return enter(Place::signature);
      case Place::envelope:
      case Place::signature:
        return mistyped();
    }
    return false;
  }

  bool Key(const char* text, rapidjson::SizeType length, bool) {
    if (depth_ == 0) member_ = member({text, length});
    return true;
  }

  bool EndObject(rapidjson::SizeType) { return leave(); }

  bool StartArray() {
    if (skipping()) return skip();
    if (place_ != Place::envelope || member_ != Member::signatures) return mistyped();
    return enter(Place::signatures);
  }

  bool EndArray(rapidjson::SizeType) { return leave(); }

  RawTask& task() { return task_; }
  bool has_data() const { return has_data_; }
  const std::string& problem() const { return problem_; }
  std::string bundle_id;
  std::string name;

 private:
  // In an array of signatures every element is wanted, and so is the root value.
  bool skipping() const {
    return depth_ > 0 || (member_ == Member::other && place_ != Place::root && place_ != Place::signatures);
  }

  // Tracing is a by-work: an id that cannot be one is no reason to lose the task.
  bool tracing() const { return member_ == Member::trace_id || member_ == Member::span_id; }

  bool skip() {
    ++depth_;
    return true;
  }

  bool enter(Place place) {
    place_ = place;
    member_ = Member::other;
    return true;
  }

  bool leave() {
    member_ = Member::other;
    if (depth_ > 0) {
      --depth_;
      return true;
    }
    constexpr std::array<Place, 7> k_parents{Place::root,      Place::root,       Place::answer,
                                             Place::data,      Place::attributes, Place::envelope,
                                             Place::signatures};
    place_ = k_parents[static_cast<size_t>(place_)];
    return true;
  }

  Member member(std::string_view key) const {
    struct Wanted {
      Place place;
      std::string_view key;
      Member member;
    };
    static constexpr std::array k_wanted{
        Wanted{Place::answer, "data", Member::data},
        Wanted{Place::data, "id", Member::id},
        Wanted{Place::data, "attributes", Member::attributes},
        Wanted{Place::attributes, "name", Member::name},
        Wanted{Place::attributes, "bundle_id", Member::bundle_id},
        Wanted{Place::attributes, "client", Member::client},
        Wanted{Place::attributes, "job_id", Member::job_id},
        Wanted{Place::attributes, "trace_id", Member::trace_id},
        Wanted{Place::attributes, "span_id", Member::span_id},
        Wanted{Place::attributes, "signed_envelope", Member::signed_envelope},
        Wanted{Place::envelope, "data", Member::envelope_data},
        Wanted{Place::envelope, "hash_type", Member::hash_type},
        Wanted{Place::envelope, "signatures", Member::signatures},
        Wanted{Place::signature, "key_type", Member::key_type},
        Wanted{Place::signature, "key_id", Member::key_id},
        Wanted{Place::signature, "signature", Member::signature_bytes},
    };
    for (const Wanted& wanted : k_wanted) {
      if (wanted.place == place_ && wanted.key == key) return wanted.member;
    }
    return Member::other;
  }

  std::string_view member_name() const {
    static constexpr std::array<std::string_view, 17> k_names{
        "the answer", "data",       "data.id",         "attributes",
        "name",       "bundle_id",  "client",          "job_id",
        "trace_id",   "span_id",    "signed_envelope", "signed_envelope.data",
        "hash_type",  "signatures", "key_type",        "key_id",
        "signature"};
    return k_names[static_cast<size_t>(member_)];
  }

  bool mistyped() {
    problem_ = std::string(member_name()) + " has a value of an unexpected type";
    return false;
  }

  bool bytes(std::string_view text, std::string& target) {
    auto decoded = base64_decode(text);
    if (!decoded) {
      problem_ = std::string(member_name()) + " is not base64";
      return false;
    }
    target = std::move(*decoded);
    return true;
  }

  bool string(std::string_view text) {
    switch (member_) {
      case Member::id:
        task_.address.task_id = text;
        return true;
      case Member::name:
        name = text;
        return true;
      case Member::bundle_id:
        bundle_id = text;
        return true;
      case Member::job_id:
        task_.address.job_id = text;
        return true;
      case Member::envelope_data:
        return bytes(text, task_.envelope->data);
      case Member::key_id:
        task_.envelope->signatures.back().key_id = text;
        return true;
      case Member::signature_bytes:
        return bytes(text, task_.envelope->signatures.back().signature);
      default:
        return tracing() || mistyped();
    }
  }

  bool integer(int64_t value, bool fits_unsigned) {
    return integer(value, true, fits_unsigned ? std::optional(static_cast<uint64_t>(value)) : std::nullopt);
  }

  bool integer(int64_t value, bool fits_signed, std::optional<uint64_t> positive) {
    if (skipping()) return true;
    if (tracing()) {
      (member_ == Member::trace_id ? task_.trace_id : task_.span_id) = positive.value_or(0);
      return true;
    }
    if (!fits_signed) return mistyped();
    switch (member_) {
      case Member::client:
        task_.address.client = value;
        return true;
      case Member::hash_type:
        task_.envelope->hash_type = value;
        return true;
      case Member::key_type:
        task_.envelope->signatures.back().key_type = value;
        return true;
      default:
        return mistyped();
    }
  }

  RawTask task_;
  Place place_ = Place::root;
  Member member_ = Member::other;
  size_t depth_ = 0;  // of open objects and arrays below a member that is not wanted
  bool has_data_ = false;
  std::string problem_;
};

}  // namespace

Result<RawTask> parse_dequeue_answer(std::string body) {
  if (body.size() > k_max_body) return fail("the answer has more than 48 MiB");
  if (body.find('\0') != std::string::npos)
    return fail("the answer has a NUL byte");  // would end it for the parser
  TaskReader reader;
  std::string error;
  // In place, since a string of many megabytes would be copied for the parser's events otherwise.
  if (!json::parse_in_place(body.data(), body.size(), reader, error))
    return fail(reader.problem().empty() ? error : reader.problem());
  if (!reader.has_data()) return fail("the answer has no object \"data\"");
  RawTask& task = reader.task();
  if (!reader.bundle_id.empty() || !reader.name.empty())
    task.address.action_fqn = reader.bundle_id + "." + reader.name;
  return std::move(task);
}

}  // namespace par::core
