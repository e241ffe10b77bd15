#pragma once

#include <map>
#include <string>

namespace par::kit {

/// Keeps this process, and all threads that it has or will have, from making processes and from reaching IP
/// addresses other than those of `hosts` (name -> numeric address), and remembers attempts. For the life of
/// the process. False if the kernel does not offer it.
bool confine(const std::map<std::string, std::string>& hosts);

/// What was attempted since confine(); empty: nothing.
std::string attempted_process();
std::string attempted_network();

}  // namespace par::kit
