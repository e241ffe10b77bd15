#pragma once

#include <span>
#include <string_view>

namespace par::kit {

/// The words after the command's name. Each command prints its result and returns the program's exit code.
using Words = std::span<const std::string_view>;

constexpr int k_done = 0;
constexpr int k_failed = 1;
constexpr int k_usage = 2;

int check_command(Words words);
int fuzz_command(Words words);
int inspect_command(Words words);
int new_command(Words words);
/// In the child that runs one check.
int run_check_command(Words words);
/// In a child that runs seeds.
int run_seeds_command(Words words);

int complain(std::string_view text, int code = k_failed);

}  // namespace par::kit
