// The list of all checks, and the rules that have none.
#include <algorithm>

#include "plugin-api/devkit/par-plugin/checks.hpp"

namespace par::kit {
namespace {

constexpr std::string_view k_host = "a rule for the host; the project's tests hold it to it";

constexpr UncheckedRule k_unchecked[] = {
    {"PAR-M7", "whether an action changes something outside cannot be seen from outside"},
    {"PAR-M8", "which tokens a plugin looks for cannot be seen from outside"},
    {"PAR-M9",
     "which variables and files it reads is enforced by a process of its own, and not seen in this one"},
    {"PAR-V3", "the compiler asserts it when the header's layout is tested"},
    {"PAR-V4", "a rule for those who add services"},
    {"PAR-B4", "a property of the declarations"},
    {"PAR-B5", k_host},
    {"PAR-B6", k_host},
    {"PAR-O1", k_host},
    {"PAR-O2", k_host},
    {"PAR-O4", k_host},
    {"PAR-O5", k_host},
    {"PAR-E3", k_host},
    {"PAR-E4", k_host},
    {"PAR-C1", k_host},
    {"PAR-C3", k_host},
    {"PAR-C4", k_host},
    {"PAR-C5",
     "the checking host runs functions again and again; what one of them calls besides cannot be seen"},
    {"PAR-C6", "a deadlock shows as a call that does not end after a cancel (cancel.during)"},
    {"PAR-R3",
     "the checking host copies parts at once; a plugin that frees them too early is found by sanitizers"},
    {"PAR-R6", k_host},
    {"PAR-R7", k_host},
    {"PAR-S2", "a null call crashes the checking host, so it shows in every check that runs actions"},
    {"PAR-H1", k_host},
    {"PAR-H2", k_host},
    {"PAR-H3", k_host},
    {"PAR-H4", k_host},
    {"PAR-H5", k_host},
    {"PAR-H6", k_host},
    {"PAR-H7", k_host},
    {"PAR-H8", k_host},
    {"PAR-N1", k_host},
    {"PAR-N2",
     "addresses that it did not get are found (service.only_way_out); defaults of its library are not seen"},
    {"PAR-N3", k_host},
    {"PAR-P1", k_host},
    {"PAR-P2", k_host},
    {"PAR-P3", k_host},
    {"PAR-P4", k_host},
};

}  // namespace

std::vector<Check> all_checks() {
  std::vector<Check> all;
  for (const auto part : {file_checks(), load_checks(), call_checks(), fault_checks()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

const Check* find_check(std::string_view name) {
  for (const auto part : {file_checks(), load_checks(), call_checks(), fault_checks()}) {
    const auto at =
        std::find_if(part.begin(), part.end(), [&](const Check& check) { return check.name == name; });
    if (at != part.end()) return &*at;
  }
  return nullptr;
}

std::span<const UncheckedRule> unchecked_rules() {
  return k_unchecked;
}

}  // namespace par::kit
