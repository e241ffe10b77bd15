#include "core/channel/publisher.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/telemetry/log.hpp"

namespace par::core {
namespace {

constexpr Milliseconds k_first_wait{1'000};
constexpr Milliseconds k_longest_wait{30'000};

bool worth_retrying(const Result<ControlAnswer>& answer) {
  if (!answer) return true;
  switch (answer->status) {
    case 401:
    case 403:
    case 408:
    case 425:
    case 429:
      return true;
    default:
      return answer->status >= 500;
  }
}

}  // namespace

class Publisher::Item {
 public:
  Item(TaskAddress task, std::function<void()> on_finished)
      : address(std::move(task)), finished(std::move(on_finished)) {}

  TaskAddress address;
  std::function<void()> finished;
  std::shared_ptr<const std::string> body = std::make_shared<const std::string>();
  int attempts = 0;
  bool in_flight = false;
  bool gone = false;      // the job: the next attempt is the last
  bool last = false;      // the attempt under way is the last
  bool replaced = false;  // by a failure, after a 413
  Milliseconds wait = k_first_wait;
  Timers::Timer timer;
  std::list<Item>::iterator self;
};

Publisher::Publisher(ControlApi& api, Timers& timers, const Log& log, Bounds bounds)
    : api_(api), timers_(timers), log_(log), bounds_(bounds) {}
Publisher::~Publisher() = default;

bool Publisher::reserve() {
  const size_t share = bounds_.bytes / bounds_.outcomes;
  if (reserved_ + items_.size() >= bounds_.outcomes) return false;
  if (waiting_bytes_ + (reserved_ + 1) * share > bounds_.bytes) return false;
  ++reserved_;
  return true;
}

void Publisher::release() {
  --reserved_;
}

Publisher::Item& Publisher::publish(TaskAddress address, Outcome outcome, std::function<void()> finished) {
  --reserved_;
  Item& item = items_.emplace_back(std::move(address), std::move(finished));
  item.self = std::prev(items_.end());
  if (auto* success = std::get_if<Success>(&outcome)) {
    set_body(item, std::move(success->publish_body));
  } else {
    set_body(item, failure_body(item.address, std::get<Failure>(outcome)));
  }
  attempt(item);
  return item;
}

void Publisher::job_is_gone(Item& item) {
  item.gone = true;
  if (!item.in_flight) attempt(item);
}

void Publisher::hurry() {
  for (Item& item : items_) {
    if (item.in_flight) continue;
    item.wait = k_first_wait;
    attempt(item);
  }
}

void Publisher::attempt(Item& item) {
  item.timer.reset();
  item.in_flight = true;
  item.last = item.gone;
  ++item.attempts;
  api_.publish(item.body, [this, &item, alive = std::weak_ptr(alive_)](const Result<ControlAnswer>& answer) {
    if (!alive.expired()) answered(item, answer);
  });
}

void Publisher::answered(Item& item, const Result<ControlAnswer>& answer) {
  item.in_flight = false;
  if (is_success(answer)) return finish(item);

  LogFields fields{{"task_id", item.address.task_id},
                   {"action_fqn", item.address.action_fqn},
                   {"job_id", item.address.job_id},
                   {"attempt", item.attempts}};
  const std::string error = describe(answer);
  fields.emplace_back("error", error);
  if (answer && answer->status == 413 && !item.replaced) {
    log_.warn("the outcome is too large for Datadog; a failure is published in its place", fields);
    const std::string text =
        fmt::format("The result was refused by Datadog because of its size ({} bytes).", item.body->size());
    item.replaced = true;
    set_body(item, failure_body(item.address, {ErrorCode::action_error, text, {}}));
    return attempt(item);
  }
  if (item.last || !worth_retrying(answer)) {
    log_.error("the outcome could not be published and is given up", fields);
    return finish(item);
  }
  if (item.gone) return attempt(item);
  fields.emplace_back("retry_in_ms", item.wait.count());
  log_.warn("publishing the outcome failed and will be tried again", fields);
  item.timer = timers_.after(item.wait, [this, &item] { attempt(item); });
  item.wait = std::min(item.wait * 2, k_longest_wait);
}

void Publisher::finish(Item& item) {
  const auto finished = std::move(item.finished);
  waiting_bytes_ -= item.body->size();
  items_.erase(item.self);
  finished();
}

void Publisher::set_body(Item& item, std::string body) {
  waiting_bytes_ += body.size();
  waiting_bytes_ -= item.body->size();
  item.body = std::make_shared<const std::string>(std::move(body));
}

}  // namespace par::core
