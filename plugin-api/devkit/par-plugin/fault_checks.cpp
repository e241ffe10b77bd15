// Hosts, servers and inputs as nobody wants them.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/base/json.hpp"
#include "core/telemetry/redactor.hpp"
#include "plugin-api/devkit/par-plugin/checks.hpp"
#include "plugin-api/devkit/par-plugin/confinement.hpp"
#include "plugin-api/devkit/par-plugin/hostile.hpp"
#include "plugin-api/devkit/par-plugin/session.hpp"

namespace par::kit {
namespace {

// Good answers that come before a hostile one, at most.
constexpr size_t k_most_uses = 16;
// For a call whose peer says nothing more.
constexpr std::chrono::milliseconds k_limit_with_peers{200};

// Survival is all that is asked: a crash or a hang ends this process, and the parent sees it.
Verdict survives(const Subject& subject, const Behaviour& behaviour) {
  Session session(subject, behaviour);
  if (!session.open()) return passed();
  for (const Sample& sample : subject.samples) session.run(sample);
  session.close();
  return passed();
}

Verdict survives_exact_tables(const Subject& subject) {
  Behaviour behaviour;
  behaviour.tables = TableForm::exact;
  return survives(subject, behaviour);
}

Verdict works_on_newer_host(const Subject& subject) {
  Behaviour behaviour;
  behaviour.tables = TableForm::newer;
  Session session(subject, behaviour);
  if (const auto opened = session.open(); !opened) {
    const Behaviour plain;
    Session control(subject, plain);
    if (!control.open()) return skipped("it cannot be opened");
    return failed("a host with a later minor version cannot open it: " + opened.error().message);
  }
  for (const Sample& sample : subject.samples) session.run(sample);
  session.close();
  return passed();
}

Verdict survives_without_services(const Subject& subject) {
  if (subject.manifest.services.empty()) return skipped("it uses no services");
  Behaviour behaviour;
  behaviour.services = false;
  return survives(subject, behaviour);
}

constexpr par_status k_failures[] = {PAR_POLICY,   PAR_RESOLVE, PAR_CONNECT,  PAR_TLS,
                                     PAR_PROTOCOL, PAR_LIMIT,   PAR_DEADLINE, PAR_UNSUPPORTED,
                                     PAR_SPAWN,    99 /* of a later version */};

Verdict survives_failing_services(const Subject& subject) {
  if (subject.manifest.services.empty()) return skipped("it uses no services");
  for (const bool reads_only : {false, true}) {
    for (const par_status failure : k_failures) {
      Behaviour behaviour;
      behaviour.failure = failure;
      behaviour.fail_reads_only = reads_only;
      survives(subject, behaviour);
    }
  }
  return passed();
}

Verdict objects_are_released(const Subject& subject) {
  if (subject.manifest.services.empty()) return skipped("it uses no services");
  for (const int failure : {PAR_OK, PAR_CONNECT}) {
    Behaviour behaviour;
    behaviour.failure = failure;
    Session session(subject, behaviour);
    if (!session.open()) return skipped("it cannot be opened");
    for (const Sample& sample : subject.samples) {
      const Run run = session.run(sample);
      if (run.report.released_twice != 0) {
        return failed(sample.label + ": an object of a service was released twice");
      }
      if (run.report.objects_left != 0) {
        return failed(fmt::format("{}: {} objects of services were not released{}", sample.label,
                                  run.report.objects_left, failure == PAR_OK ? "" : " after a failure"));
      }
    }
  }
  return passed();
}

Verdict only_services_reach_out(const Subject& subject) {
  if (!confine(subject.hosts)) return skipped("this kernel offers no seccomp filters");
  survives(subject, {});
  const std::string attempt = attempted_network();
  return attempt.empty() ? passed() : failed(attempt);
}

Verdict makes_no_process(const Subject& subject) {
  if (!confine(subject.hosts)) return skipped("this kernel offers no seccomp filters");
  survives(subject, {});
  const std::string attempt = attempted_process();
  return attempt.empty() ? passed() : failed(attempt);
}

Verdict survives_hostile_inputs(const Subject& subject) {
  const Behaviour behaviour;
  Session session(subject, behaviour);
  if (!session.open()) return skipped("it cannot be opened");
  std::string last;
  for (const Sample& sample : subject.samples) {
    if (sample.action == last) continue;  // one of each action, since these are large
    last = sample.action;
    for (const std::string& inputs :
         hostile_inputs(sample.inputs, *subject.manifest.find_action(sample.action)->input)) {
      Sample hostile = sample;
      hostile.inputs = inputs;
      session.run(hostile);
    }
    for (const std::string& connection : hostile_connections(sample.connection)) {
      Sample hostile = sample;
      hostile.connection = connection;
      session.run(hostile);
    }
  }
  session.close();
  return passed();
}

Verdict survives_hostile_answers(const Subject& subject) {
  if (subject.manifest.services.empty()) return skipped("it uses no services");
  Behaviour behaviour;
  Session session(subject, behaviour);
  if (!session.open()) return skipped("it cannot be opened");
  for (const Sample& sample : subject.samples) {
    behaviour.hostile.reset();
    std::vector<size_t> uses = session.run(sample).report.uses;
    uses.resize(std::min(uses.size(), k_most_uses));
    for (size_t use = 0; use < uses.size(); ++use) {
      behaviour.hostile_from = use;
      for (const Answer& answer : hostile_answers(uses[use])) {
        behaviour.hostile = answer;
        session.run(sample);
      }
    }
  }
  session.close();
  return passed();
}

// One sample is enough: what comes before a login is the same for every action.
Verdict survives_hostile_peers(const Subject& subject) {
  Behaviour behaviour;
  Session session(subject, behaviour);
  if (!session.open()) return skipped("it cannot be opened");
  const auto dials = [&](const Sample& sample) { return session.run(sample).report.names != 0; };
  const auto sample = std::find_if(subject.samples.begin(), subject.samples.end(), dials);
  if (sample == subject.samples.end()) return skipped("no sample asks par.net/1 for a name");
  behaviour.limit = k_limit_with_peers;
  for (const PeerScript& peer : hostile_peers()) {
    behaviour.peer = &peer;
    if (session.run(*sample).report.peers == 0)
      return skipped(sample->label + ": its port cannot be listened on");
  }
  session.close();
  return passed();
}

Verdict survives_other_types(const Subject& subject) {
  const Behaviour behaviour;
  Session session(subject, behaviour);
  if (!session.open()) return skipped("it cannot be opened");
  for (const Sample& sample : subject.samples) {
    Sample other = sample;
    for (std::string& inputs : inputs_of_other_types()) {
      other.inputs = std::move(inputs);
      session.run(other);
    }
  }
  session.close();
  return passed();
}

Verdict secrets_stay_hidden(const Subject& subject) {
  if (subject.manifest.tokens.empty()) return skipped("its connections have no tokens");
  for (const int failure : {PAR_OK, PAR_CONNECT}) {
    Behaviour behaviour;
    behaviour.failure = failure;
    Session session(subject, behaviour);
    if (!session.open()) return skipped("it cannot be opened");
    core::Redactor redactor;
    redactor.add_forever(k_canary);
    for (const Sample& sample : subject.samples) {
      const Run run = session.run(sample);
      for (const std::string& text : {run.report.message, run.report.display}) {
        if (redactor.redact(text) != text) {
          return failed(fmt::format("{}: the error text shows a token of the connection: {}", sample.label,
                                    redactor.redact(text)));
        }
      }
    }
    for (const std::string& line : session.host().log()) {
      if (redactor.redact(line) != line)
        return failed("a log line shows a token of the connection: " + redactor.redact(line));
    }
  }
  return passed();
}

constexpr Check k_checks[] = {
    {"host.exact_tables", "PAR-V2", "nothing behind the end of the host's tables is used", nullptr,
     survives_exact_tables},
    {"host.newer", "PAR-V2", "a host with a later minor version and longer tables is accepted", nullptr,
     works_on_newer_host},
    {"service.missing", "PAR-S1", "without its services it fails and goes on", nullptr,
     survives_without_services},
    {"service.failing", "PAR-S3", "any failure of a service is survived", nullptr, survives_failing_services},
    {"service.released", "PAR-S3", "objects of services are released once", nullptr, objects_are_released},
    {"service.only_way_out", "PAR-E6", "no IP address is reached but through services", nullptr,
     only_services_reach_out},
    {"process.none_made", "PAR-L7", "it makes no processes", nullptr, makes_no_process},
    {"input.hostile", "PAR-E8", "deep, huge and odd inputs and connections are survived", nullptr,
     survives_hostile_inputs},
    {"input.other_type", "PAR-E9", "inputs that are no object are survived", nullptr, survives_other_types},
    {"answer.hostile", "PAR-E8", "whatever servers and programs answer, at any time, is survived", nullptr,
     survives_hostile_answers},
    {"peer.hostile", "PAR-E8", "whatever a peer sends that it dials by itself is survived", nullptr,
     survives_hostile_peers},
    {"secret.hidden", "PAR-S4 PAR-S5", "tokens show in no log line and no error text", nullptr,
     secrets_stay_hidden},
};

}  // namespace

std::span<const Check> fault_checks() {
  return k_checks;
}

}  // namespace par::kit
