// par-plugin fuzz: random calls, each of which its seed reproduces.
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "plugin-api/devkit/par-plugin/commands.hpp"
#include "plugin-api/devkit/par-plugin/hostile.hpp"
#include "plugin-api/devkit/par-plugin/isolated.hpp"
#include "plugin-api/devkit/par-plugin/session.hpp"

namespace par::kit {
namespace {

using std::chrono::steady_clock;

constexpr int k_seeds_in_a_process = 200;
constexpr auto k_limit = std::chrono::seconds(120);

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  size_t below(size_t bound) { return bound == 0 ? 0 : static_cast<size_t>(engine_() % bound); }
  template <typename T>
  const T& one_of(const std::vector<T>& from) {
    return from[below(from.size())];
  }

 private:
  std::mt19937_64 engine_;
};

// Bytes of `text` are changed, dropped and repeated.
std::string spoilt(std::string text, Random& random) {
  for (size_t i = random.below(8); i > 0 && !text.empty(); --i) {
    const size_t at = random.below(text.size());
    switch (random.below(4)) {
      case 0:
        text[at] = static_cast<char>(random.below(256));
        break;
      case 1:
        text.erase(at, random.below(16) + 1);
        break;
      case 2:
        text.insert(at, text.substr(random.below(text.size()), random.below(64)));
        break;
      default:
        text.insert(at, 1, "\"{}[],:\\0"[random.below(9)]);
        break;
    }
  }
  return text;
}

Answer spoilt(Answer answer, Random& random) {
  if (auto* const server = std::get_if<HttpAnswer>(&answer)) {
    server->body = spoilt(std::move(server->body), random);
  } else {
    auto& program = std::get<ProcessAnswer>(answer);
    program.output = spoilt(std::move(program.output), random);
    program.errors = spoilt(std::move(program.errors), random);
  }
  return answer;
}

// One call: legal inputs and connection, a server that answers well for a while and then anything, a service
// that may fail or be cut off.
void run_seed(const Subject& subject, uint64_t seed, Session& session, Behaviour& behaviour) {
  Random random(seed);
  Sample sample = random.one_of(subject.samples);
  auto inputs = hostile_inputs(sample.inputs, *subject.manifest.find_action(sample.action)->input);
  inputs.push_back(sample.inputs);
  inputs.push_back(sample.inputs);
  sample.inputs = random.one_of(inputs);
  if (random.below(4) == 0) sample.connection = random.one_of(hostile_connections(sample.connection));
  behaviour = {};
  behaviour.hostile_from = random.below(sample.answers.size() + 1);
  Answer answer;
  if (sample.answers.empty() || random.below(3) == 0) {
    const auto& hostile = hostile_answers(random.below(std::variant_size_v<Answer>));
    answer = random.one_of(hostile);
  } else {
    answer = random.one_of(sample.answers);
  }
  behaviour.hostile = spoilt(std::move(answer), random);
  if (random.below(8) == 0) behaviour.failure = static_cast<par_status>(random.below(16));
  behaviour.fail_reads_only = random.below(2) == 0;
  behaviour.cancelled = random.below(32) == 0;
  if (random.below(16) == 0) behaviour.max_result_bytes = random.below(100);
  session.run(sample);
}

}  // namespace

int run_seeds_command(Words words) {
  if (words.size() != 4) return complain("run-seeds is for par-plugin itself", k_usage);
  const auto subject = read_subject(words[0], words[1]);
  if (!subject) end_with(failed(subject.error().message));
  const uint64_t first = std::stoull(std::string(words[2]));
  const uint64_t count = std::stoull(std::string(words[3]));
  Behaviour behaviour;
  Session session(*subject, behaviour);
  if (const auto opened = session.open(); !opened) end_with(failed(opened.error().message));
  for (uint64_t seed = first; seed < first + count; ++seed) run_seed(*subject, seed, session, behaviour);
  end_with(passed());
}

int fuzz_command(Words words) {
  std::string file, samples;
  uint64_t seed = std::random_device{}();
  int seconds = 60;
  bool one_only = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string word(words[i]);
    if (word.substr(0, 2) != "--" && file.empty()) {
      file = word;
      continue;
    }
    if (i + 1 == words.size())
      return complain(fmt::format("{} means nothing here, or has no value behind it", word), k_usage);
    const std::string value(words[++i]);
    try {
      if (word == "--samples")
        samples = value;
      else if (word == "--seconds")
        seconds = std::stoi(value);
      else if (word == "--seed")
        seed = std::stoull(value), one_only = true;
      else
        return complain("unknown option " + word, k_usage);
    } catch (const std::exception&) {
      return complain(fmt::format("{} takes a number, found {}", word, value), k_usage);
    }
  }
  if (file.empty()) return complain("no library is named", k_usage);
  if (const auto subject = read_subject(file, samples); !subject)
    return complain(subject.error().message, k_usage);

  const auto verdict_of = [&](uint64_t first, uint64_t count) {
    return run_isolated({"run-seeds", file, samples, std::to_string(first), std::to_string(count)}, k_limit);
  };
  const auto tell = [&](uint64_t bad, const Verdict& verdict) {
    std::fputs(fmt::format("seed {}: {}\nreproduce: par-plugin fuzz {}{} --seed {}\n", bad, verdict.text,
                           file, samples.empty() ? "" : " --samples " + samples, bad)
                   .c_str(),
               stdout);
    return k_failed;
  };
  if (one_only) {
    const Verdict verdict = verdict_of(seed, 1);
    if (verdict.is_bad()) return tell(seed, verdict);
    std::fputs(fmt::format("seed {}: survived\n", seed).c_str(), stdout);
    return k_done;
  }
  const uint64_t first = seed;
  const auto until = steady_clock::now() + std::chrono::seconds(seconds);
  while (steady_clock::now() < until) {
    if (verdict_of(seed, k_seeds_in_a_process).is_bad()) {
      for (uint64_t bad = seed; bad < seed + k_seeds_in_a_process; ++bad) {
        if (const Verdict verdict = verdict_of(bad, 1); verdict.is_bad()) return tell(bad, verdict);
      }
      std::fputs(fmt::format("seeds {} to {} together end the process, none of them does alone\n", seed,
                             seed + k_seeds_in_a_process - 1)
                     .c_str(),
                 stdout);
      return k_failed;
    }
    seed += k_seeds_in_a_process;
  }
  std::fputs(fmt::format("{} calls survived, seeds {} to {}\n", seed - first, first, seed - 1).c_str(),
             stdout);
  return k_done;
}

}  // namespace par::kit
