// Calls: results, errors, time, threads.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "core/base/json.hpp"
#include "core/plugin/schema.hpp"
#include "plugin-api/devkit/par-plugin/checks.hpp"
#include "plugin-api/devkit/par-plugin/process_state.hpp"
#include "plugin-api/devkit/par-plugin/session.hpp"
#include "plugin-api/devkit/par-plugin/status.hpp"

namespace par::kit {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds k_grace{2'000};

unsigned calls_at_a_time(const core::Manifest& manifest) {
  constexpr unsigned k_most = 8;
  return manifest.max_concurrency == 0 ? k_most : std::min(manifest.max_concurrency, k_most);
}

// Runs every sample and asks `look` about each: a text says what is wrong.
template <typename Look>
Verdict each_sample(const Subject& subject, const Behaviour& behaviour, Look&& look) {
  Session session(subject, behaviour);
  if (const auto opened = session.open(); !opened)
    return skipped("it cannot be opened: " + opened.error().message);
  for (const Sample& sample : subject.samples) {
    const std::string problem = look(sample, session.run(sample));
    if (!problem.empty()) return failed(fmt::format("{}: {}", sample.label, problem));
  }
  return passed();
}

// The same, some samples at a time, for calls that spend their time waiting.
template <typename Look>
Verdict each_sample_at_once(const Subject& subject, const Behaviour& behaviour, Look&& look) {
  Session session(subject, behaviour);
  if (const auto opened = session.open(); !opened)
    return skipped("it cannot be opened: " + opened.error().message);
  std::mutex mutex;
  std::string problem;
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < subject.samples.size(); i = next++) {
      const Sample& sample = subject.samples[i];
      const std::string found = look(sample, session.run(sample));
      const std::lock_guard lock(mutex);
      if (problem.empty() && !found.empty()) problem = fmt::format("{}: {}", sample.label, found);
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < calls_at_a_time(subject.manifest); ++i) threads.emplace_back(work);
  for (auto& thread : threads) thread.join();
  return problem.empty() ? passed() : failed(std::move(problem));
}

// The same with a friendly host, and with one whose services fail.
template <typename Look>
Verdict each_way(const Subject& subject, Look&& look) {
  Behaviour failing;
  failing.failure = PAR_CONNECT;
  Verdict verdict = each_sample(subject, {}, look);
  return verdict.status == Verdict::Status::passed ? each_sample(subject, failing, look) : verdict;
}

// What is wrong with the end of a call that must end as `expected`.
std::string differs(const Expectation& expected, const Run& run, const core::Schema& output) {
  const std::string found =
      run.status == PAR_OK ? "PAR_OK" : fmt::format("{}: {}", status_name(run.status), run.report.message);
  if (!run.report.misfit.empty()) return run.report.misfit;
  if (run.status != expected.status) {
    return fmt::format("expected {}, found {}", status_name(expected.status), found);
  }
  if (expected.status != PAR_OK) {
    return run.report.message.find(expected.message) != std::string::npos
               ? ""
               : fmt::format("expected a text with \"{}\", found {}", expected.message, found);
  }
  if (!run.report.result) return "it returned PAR_OK without an accepted result";
  const auto fits = output.validate(*core::parse_json(*run.report.result), "outputs");
  return fits ? "" : fits.error().message;
}

Verdict samples_end_as_they_say(const Subject& subject) {
  if (subject.samples_file.empty()) return skipped("there are no samples: give them with --samples FILE");
  const Behaviour behaviour;
  Session session(subject, behaviour);
  if (const auto opened = session.open(); !opened)
    return skipped("it cannot be opened: " + opened.error().message);
  std::string problems;
  for (const Sample& sample : subject.samples) {
    const std::string problem = sample.expects ? differs(*sample.expects, session.run(sample),
                                                         *subject.manifest.find_action(sample.action)->output)
                                               : "the file has no sample of this action";
    if (problem.empty()) continue;
    problems += fmt::format("{}{}: {}", problems.empty() ? "" : "\n", sample.label, problem);
  }
  return problems.empty() ? passed() : failed(std::move(problems));
}

Verdict success_has_result(const Subject& subject) {
  return each_way(subject, [](const Sample&, const Run& run) -> std::string {
    return run.status == PAR_OK && !run.report.result ? "it returned PAR_OK without an accepted result" : "";
  });
}

Verdict results_have_form(const Subject& subject) {
  return each_sample(subject, {}, [](const Sample&, const Run& run) -> std::string {
    const bool bad = run.report.refusal == PAR_BAD_RESULT || run.report.refusal == PAR_INVALID;
    return bad ? "result() refused what it was given: " + run.report.refusal_text : "";
  });
}

Verdict result_limit_is_kept(const Subject& subject) {
  Behaviour behaviour;
  behaviour.max_result_bytes = 1;
  return each_sample(subject, behaviour, [](const Sample&, const Run& run) -> std::string {
    const bool wrong = run.status == PAR_OK && run.report.refusal == PAR_LIMIT;
    return wrong ? "result() answered PAR_LIMIT, and execute returned PAR_OK all the same" : "";
  });
}

Verdict status_is_known(const Subject& subject) {
  return each_way(subject, [](const Sample&, const Run& run) -> std::string {
    const bool wrong = run.status < PAR_OK || run.status > PAR_SPAWN;
    return wrong ? fmt::format("execute returned {}, which is no par_status", run.status) : "";
  });
}

Verdict failure_is_described(const Subject& subject) {
  return each_way(subject, [](const Sample&, const Run& run) -> std::string {
    if (run.status == PAR_OK || run.threw) return "";
    if (!run.report.described || run.report.message.empty()) return "it failed and said nothing by error()";
    // A JSON string holds valid UTF-8 only.
    json::Document document;
    std::string problem;
    json::Value text(rapidjson::StringRef(run.report.message.data(), run.report.message.size()));
    return json::parse(json::write(text), document, problem) ? "" : "the text given to error() is not UTF-8";
  });
}

Verdict unknown_action_is_refused(const Subject& subject) {
  const Behaviour behaviour;
  Session session(subject, behaviour);
  if (!session.open()) return skipped("it cannot be opened");
  Sample sample = subject.samples.front();
  sample.action = "parPluginCheckNoSuchAction";
  const Run run = session.run(sample);
  if (run.threw) return skipped("it threw");
  return run.status == PAR_INTERNAL
             ? passed()
             : failed(fmt::format(
                   "an action that it does not have was answered with {}, expected PAR_INTERNAL (2)",
                   run.status));
}

Verdict exceptions_stay_inside(const Subject& subject) {
  const auto threw = [](const Sample&, const Run& run) -> std::string {
    return run.threw ? "an exception left execute" : "";
  };
  Behaviour failing;
  failing.failure = PAR_CONNECT;
  const Behaviour friendly;
  for (const Behaviour* behaviour : {&friendly, static_cast<const Behaviour*>(&failing)}) {
    Session session(subject, *behaviour);
    const auto opened = session.open();
    if (session.opened().threw) return failed("an exception left open");
    if (!opened) return skipped("it cannot be opened");
    for (Sample sample : subject.samples) {
      if (const auto problem = threw(sample, session.run(sample)); !problem.empty()) return failed(problem);
      sample.action += "-unknown";
      if (const auto problem = threw(sample, session.run(sample)); !problem.empty()) return failed(problem);
    }
    session.close();
  }
  return passed();
}

Verdict run_guarded(const Subject& subject, Session::Guard guard) {
  const Behaviour behaviour;
  Session session(subject, behaviour);
  if (!session.open()) return skipped("it cannot be opened");
  for (const Sample& sample : subject.samples) session.run(sample, guard);
  return passed();
}

Verdict request_is_only_read(const Subject& subject) {
  return run_guarded(subject, Session::Guard::request_is_read_only);
}

Verdict nothing_is_used_afterwards(const Subject& subject) {
  const Verdict verdict = run_guarded(subject, Session::Guard::nothing_is_used_afterwards);
  std::this_thread::sleep_for(milliseconds(1000));  // for a thread that comes late
  return verdict;
}

Verdict calls_leave_nothing(const Subject& subject) {
  const Behaviour behaviour;
  Session session(subject, behaviour);
  if (!session.open()) return skipped("it cannot be opened");
  const auto all = [&] {
    for (const Sample& sample : subject.samples) session.run(sample);
  };
  all();
  const ProcessState before = ProcessState::now();
  constexpr int k_rounds = 10;
  for (int i = 0; i < k_rounds; ++i) all();
  const ProcessState after = ProcessState::now();
  // What is made once, such as a pool, may grow a little; what each call leaves does not end at that.
  if (after.descriptors.size() >= before.descriptors.size() + k_rounds) {
    return failed("each call leaves descriptors open: " + added_descriptors(before, after));
  }
  if (!subject.manifest.own_threads && after.threads >= before.threads + k_rounds) {
    return failed(
        fmt::format("{} threads are left after {} rounds", after.threads - before.threads, k_rounds));
  }
  return passed();
}

Verdict runs_in_parallel(const Subject& subject) {
  if (subject.manifest.max_concurrency == 1) return skipped("max_concurrency is 1");
  const Behaviour behaviour;
  Session session(subject, behaviour);
  if (!session.open()) return skipped("it cannot be opened");
  std::vector<par_status> alone;
  for (const Sample& sample : subject.samples) alone.push_back(session.run(sample).status);
  std::atomic<bool> differs = false;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < calls_at_a_time(subject.manifest); ++i) {
    threads.emplace_back([&, i] {
      for (size_t n = 0; n < 5 * alone.size(); ++n) {
        const size_t which = (n + i) % alone.size();
        if (session.run(subject.samples[which]).status != alone[which]) differs = true;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  return differs ? failed("calls that run at the same time end otherwise than alone") : passed();
}

std::string late(const Run& run) {
  return run.after_cancel > k_grace
             ? fmt::format("it returned {} ms after the cancel, expected at most {} ms",
                           run.after_cancel.count(), k_grace.count())
             : "";
}

Verdict ends_if_cancelled_before(const Subject& subject) {
  Behaviour behaviour;
  behaviour.cancelled = true;
  return each_sample(subject, behaviour, [](const Sample&, const Run& run) { return late(run); });
}

Verdict ends_at_cancel(const Subject& subject) {
  Behaviour behaviour;
  behaviour.block = true;
  behaviour.waits_pass = false;
  behaviour.cancel_after = milliseconds(250);  // not before the plugin waits, on a loaded machine
  return each_sample_at_once(subject, behaviour, [](const Sample&, const Run& run) { return late(run); });
}

Verdict ends_at_limit(const Subject& subject) {
  Behaviour behaviour;
  behaviour.block = true;
  behaviour.waits_pass = false;
  behaviour.limit = milliseconds(50);
  return each_sample_at_once(subject, behaviour, [](const Sample&, const Run& run) { return late(run); });
}

Verdict functions_are_removed(const Subject& subject) {
  Behaviour behaviour;
  behaviour.block = true;
  behaviour.waits_pass = false;
  behaviour.cancel_after = milliseconds(50);
  const auto left = [](const Sample&, const Run& run) -> std::string {
    return run.report.functions_left == 0 ? "" : "functions of on_cancel are left when execute returns";
  };
  Verdict verdict = each_sample(subject, {}, left);
  if (verdict.status == Verdict::Status::passed) verdict = each_sample_at_once(subject, behaviour, left);
  return verdict;
}

constexpr Check k_checks[] = {
    {"action.samples", "PAR-R8", "samples end as they say, and results fit the output schema", nullptr,
     samples_end_as_they_say},
    {"action.unknown", "PAR-E5", "an unknown action is PAR_INTERNAL", nullptr, unknown_action_is_refused},
    {"action.parallel", "PAR-E1", "calls at the same time do not disturb each other", nullptr,
     runs_in_parallel},
    {"action.leaves_nothing", "PAR-E7", "calls leave no descriptors and threads", nullptr,
     calls_leave_nothing},
    {"result.present", "PAR-R1", "success has a result", nullptr, success_has_result},
    {"result.form", "PAR-R2", "results are one JSON object in UTF-8, handed over once", nullptr,
     results_have_form},
    {"result.limit", "PAR-R1 PAR-R2", "a result that is too large is no success", nullptr,
     result_limit_is_kept},
    {"status.known", "PAR-R5 PAR-V5", "execute returns a par_status", nullptr, status_is_known},
    {"error.described", "PAR-R4 PAR-B3", "a failure has a text in UTF-8", nullptr, failure_is_described},
    {"exception.contained", "PAR-B2", "no exception leaves the plugin", nullptr, exceptions_stay_inside},
    {"request.read_only", "PAR-B1", "what the host lends is not written to", nullptr, request_is_only_read},
    {"request.released", "PAR-E2", "request and call are not used after execute", nullptr,
     nothing_is_used_afterwards},
    {"cancel.before", "PAR-C2", "a call that is cancelled already ends within 2 s", nullptr,
     ends_if_cancelled_before},
    {"cancel.during", "PAR-C2", "after a cancel execute returns within 2 s", nullptr, ends_at_cancel},
    {"cancel.limit", "PAR-C2", "after the time limit execute returns within 2 s", nullptr, ends_at_limit},
    {"cancel.functions", "PAR-C7", "functions of on_cancel are removed", nullptr, functions_are_removed},
};

}  // namespace

std::span<const Check> call_checks() {
  return k_checks;
}

}  // namespace par::kit
