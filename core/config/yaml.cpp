#include "core/config/yaml.hpp"

#include <istream>
#include <streambuf>
#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "core/base/encoding.hpp"
#include "core/base/strings.hpp"

namespace par::core {
namespace {

constexpr size_t k_max_depth = 32;

// Leaves the parser from within an event. It stays inside this file.
struct Refusal {
  int line;  // from 0, as yaml-cpp counts
  std::string why;
};

// Builds settings from events. Nodes of yaml-cpp's own would follow aliases, forget lines of scalars and keep
// the first of two equal keys.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(std::string name) : name_(std::move(name)) {}

  Setting take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string&) override { refuse_anchor(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_anchor(mark); }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(mark, anchor, make(mark, {})); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Setting setting = make(mark, Setting::Kind::scalar);
    setting.text = value;
    setting.quoted = tag != "?";
    add(mark, anchor, std::move(setting));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, Setting::Kind::list);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, anchor, Setting::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  // A list or mapping that is being read. In a mapping, keys and values arrive in turn.
  struct Open {
    Setting setting;
    std::string key;
    bool has_key = false;
  };

  [[noreturn]] static void refuse_anchor(const YAML::Mark& mark) {
    throw Refusal{mark.line,
                  "anchors (&) and aliases (*) are not supported; put a text that starts with one in quotes"};
  }

  Setting make(const YAML::Mark& mark, Setting::Kind kind) const {
    Setting setting;
    setting.kind = kind;
    setting.where = fmt::format("{}:{}", name_, mark.line + 1);
    return setting;
  }

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, Setting::Kind kind) {
    if (anchor != YAML::NullAnchor) refuse_anchor(mark);
    if (open_.size() == k_max_depth)
      throw Refusal{mark.line, fmt::format("nested deeper than {} levels", k_max_depth)};
    if (awaits_key()) throw Refusal{mark.line, "a list or mapping is used as a key"};
    open_.push_back({make(mark, kind), {}, false});
  }

  void close() {
    Setting done = std::move(open_.back().setting);
    open_.pop_back();
    place(std::move(done));
  }

  void add(const YAML::Mark& mark, YAML::anchor_t anchor, Setting setting) {
    if (anchor != YAML::NullAnchor) refuse_anchor(mark);
    if (!awaits_key()) {
      place(std::move(setting));
      return;
    }
    Open& mapping = open_.back();
    if (setting.is_null()) throw Refusal{mark.line, "a key is empty"};
    if (const Setting* first = mapping.setting.find(setting.text)) {
      throw Refusal{mark.line,
                    fmt::format("the key \"{}\" stands here a second time (first at {}); remove one of them",
                                cut_utf8(setting.text, 60), first->where)};
    }
    mapping.key = std::move(setting.text);
    mapping.has_key = true;
  }

  bool awaits_key() const {
    return !open_.empty() && open_.back().setting.kind == Setting::Kind::map && !open_.back().has_key;
  }

  void place(Setting setting) {
    if (open_.empty()) {
      root_ = std::move(setting);
    } else if (open_.back().setting.kind == Setting::Kind::list) {
      open_.back().setting.items.push_back(std::move(setting));
    } else {
      open_.back().setting.members.push_back({std::move(open_.back().key), std::move(setting)});
      open_.back().has_key = false;
    }
  }

  std::string name_;
  Setting root_;
  std::vector<Open> open_;
};

// Reads from memory that someone else owns, so that no further copy of the text is made.
class MemoryBuffer : public std::streambuf {
 public:
  explicit MemoryBuffer(std::string_view text) {
    char* const begin = const_cast<char*>(text.data());  // a get area is never written to
    setg(begin, begin, begin + text.size());
  }
};

}  // namespace

Result<Setting> read_yaml(std::string_view text, const std::string& name) {
  const auto refuse = [&](int line, std::string_view why) {
    return fail(fmt::format("{}:{}: {}", name, line + 1, why));
  };
  if (!is_utf8(text)) return fail(fmt::format("{}: not UTF-8 text", name));
  Builder builder(name);
  MemoryBuffer buffer(text);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    Builder rest(name);
    if (parser.HandleNextDocument(rest))
      return fail(fmt::format("{}: holds more than one YAML document", name));
  } catch (const Refusal& refusal) {
    return refuse(refusal.line, refusal.why);
  } catch (const YAML::Exception& error) {
    return refuse(error.mark.line, "not valid YAML: " + error.msg);
  }
  return builder.take();
}

}  // namespace par::core
