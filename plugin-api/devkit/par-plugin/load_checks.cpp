// Loading, the entry point, opening and closing.
#include <thread>

#include <fmt/format.h>

#include "core/plugin/loader.hpp"
#include "plugin-api/devkit/par-plugin/checks.hpp"
#include "plugin-api/devkit/par-plugin/process_state.hpp"
#include "plugin-api/devkit/par-plugin/session.hpp"

namespace par::kit {
namespace {

Verdict loads(const std::filesystem::path& file) {
  const auto library = load_library(file);
  return library ? passed() : failed(library.error().message);
}

// What differs although nothing may, or nothing. Threads and signals are the runtime's if the manifest says
// so.
std::string effects(const ProcessState& before, const ProcessState& after, bool own_threads) {
  if (after.written != before.written) return "it wrote to standard output or error";
  if (const std::string added = added_descriptors(before, after); !added.empty() && !own_threads) {
    return "it opened descriptors: " + added;
  }
  if (own_threads) return "";
  if (after.threads != before.threads)
    return fmt::format("it started {} threads", after.threads - before.threads);
  return changed_surroundings(before, after);
}

Verdict load_is_quiet(const Subject& subject) {
  const ProcessState before = ProcessState::now();
  if (!load_library(subject.file)) return skipped("it cannot be loaded");
  const std::string found = effects(before, ProcessState::now(), subject.manifest.own_threads);
  return found.empty() ? passed() : failed("while it was loaded " + found);
}

Verdict entry_is_pure(const Subject& subject) {
  const auto library = load_library(subject.file);
  const par_plugin_entry entry = library ? entry_of(*library) : nullptr;
  if (entry == nullptr) return skipped("it has no entry point");
  const ProcessState before = ProcessState::now();
  const par_plugin* const first = entry();
  const par_plugin* const second = entry();
  const std::string found = effects(before, ProcessState::now(), subject.manifest.own_threads);
  if (!found.empty()) return failed("in par_plugin_v1 " + found);
  const par_plugin* elsewhere = nullptr;
  std::thread([&] { elsewhere = entry(); }).join();
  if (first != second || first != elsewhere) return failed("par_plugin_v1 returned different tables");
  return passed();
}

Verdict table_is_right(const Subject& subject) {
  const auto library = load_library(subject.file);
  if (!library) return skipped("it cannot be loaded");
  const par_plugin_entry entry = entry_of(*library);
  if (entry == nullptr) return failed("it does not export " PAR_PLUGIN_ENTRY_NAME);
  const auto valid = core::check_table(entry(), subject.manifest.text);
  return valid ? passed() : failed(valid.error().message);
}

Verdict opens(const Subject& subject) {
  const Behaviour behaviour;
  Session session(subject, behaviour);
  if (!load_library(subject.file)) return skipped("it cannot be loaded");
  const auto opened = session.open();
  if (opened) return passed();
  if (!session.opened().report.described)
    return failed(opened.error().message + " (without a text by error())");
  return failed(opened.error().message + " (name settings that it accepts in the samples' \"settings\")");
}

Verdict close_leaves_nothing(const Subject& subject) {
  if (subject.manifest.own_threads) return skipped("own_threads: its runtime keeps threads and descriptors");
  const Behaviour behaviour;
  Session session(subject, behaviour);
  if (!load_library(subject.file)) return skipped("it cannot be loaded");
  const ProcessState before = ProcessState::now();
  if (!session.open()) return skipped("it cannot be opened");
  for (const Sample& sample : subject.samples) session.run(sample);
  session.close();
  const ProcessState after = ProcessState::now();
  // A descriptor that a library keeps for the process (a random source) is not one of each instance.
  if (after.threads > before.threads)
    return failed(fmt::format("{} threads are left", after.threads - before.threads));
  const std::string added = added_descriptors(before, after);
  return added.empty() ? passed() : failed("descriptors are left open: " + added);
}

Verdict process_is_untouched(const Subject& subject) {
  const Behaviour behaviour;
  Session session(subject, behaviour);
  if (!load_library(subject.file)) return skipped("it cannot be loaded");
  const ProcessState before = ProcessState::now();
  if (!session.open()) return skipped("it cannot be opened");
  for (const Sample& sample : subject.samples) session.run(sample);
  ProcessState after = ProcessState::now();
  if (subject.manifest.own_threads) after.signals = before.signals;
  const std::string changed = changed_surroundings(before, after);
  return changed.empty() ? passed() : failed(changed);
}

constexpr Check k_checks[] = {
    {"library.loads", "PAR-L4", "all symbols are found", loads, nullptr},
    {"load.quiet", "PAR-L5", "loading has no effects", nullptr, load_is_quiet},
    {"entry.pure", "PAR-L3", "par_plugin_v1 gives one table and does nothing else", nullptr, entry_is_pure},
    {"entry.table", "PAR-L8 PAR-M2 PAR-V1", "the table is complete and of this version", nullptr,
     table_is_right},
    {"open.works", "PAR-O3", "open succeeds with valid settings", nullptr, opens},
    {"close.leaves_nothing", "PAR-O6", "close ends all threads and descriptors", nullptr,
     close_leaves_nothing},
    {"process.untouched", "PAR-L7", "environment, directory, mask, locale and signals stay as they are",
     nullptr, process_is_untouched},
};

}  // namespace

std::span<const Check> load_checks() {
  return k_checks;
}

}  // namespace par::kit
