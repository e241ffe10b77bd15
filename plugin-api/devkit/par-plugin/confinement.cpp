#include "plugin-api/devkit/par-plugin/confinement.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <vector>

#include <arpa/inet.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

namespace par::kit {
namespace {

std::atomic<long> process_call{-1};
std::atomic<long> network_call{-1};

// IPv4 in the form that sockets of IPv6 have for it, since libraries use both.
in6_addr mapped(in_addr address) {
  in6_addr result{};
  result.s6_addr[10] = result.s6_addr[11] = 0xff;
  std::memcpy(&result.s6_addr[12], &address, sizeof address);
  return result;
}

// Addresses that may be reached. Filled before the filter is set: a signal handler reads them.
std::vector<in6_addr>& reachable() {
  static auto& addresses = *new std::vector<in6_addr>;
  return addresses;
}

// As the sixth argument of connect, which has three: the handler's own call passes the filter.
constexpr uint32_t k_pass = 0x70617221;

struct Registers {
  long number;
  unsigned long first, second, third, fifth;
};

#if defined(__x86_64__)
Registers registers_of(const ucontext_t* context) {
  const auto& r = context->uc_mcontext.gregs;
  return {static_cast<long>(r[REG_RAX]), static_cast<unsigned long>(r[REG_RDI]),
          static_cast<unsigned long>(r[REG_RSI]), static_cast<unsigned long>(r[REG_RDX]),
          static_cast<unsigned long>(r[REG_R8])};
}
void answer(ucontext_t* context, long value) {
  context->uc_mcontext.gregs[REG_RAX] = value;
}
constexpr uint32_t k_machine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
Registers registers_of(const ucontext_t* context) {
  const auto& r = context->uc_mcontext.regs;
  return {static_cast<long>(r[8]), r[0], r[1], r[2], r[4]};
}
void answer(ucontext_t* context, long value) {
  context->uc_mcontext.regs[0] = static_cast<unsigned long>(value);
}
constexpr uint32_t k_machine = AUDIT_ARCH_AARCH64;
#endif

bool is_ip(unsigned long address) {
  if (address == 0) return false;
  const auto family = reinterpret_cast<const sockaddr*>(address)->sa_family;
  return family == AF_INET || family == AF_INET6;
}

bool may_be_reached(unsigned long address) {
  const bool is_v4 = reinterpret_cast<const sockaddr*>(address)->sa_family == AF_INET;
  const in6_addr wanted = is_v4 ? mapped(reinterpret_cast<const sockaddr_in*>(address)->sin_addr)
                                : reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  return std::any_of(reachable().begin(), reachable().end(),
                     [&](const in6_addr& one) { return std::memcmp(&one, &wanted, sizeof one) == 0; });
}

// Runs in place of the system call.
void on_trap(int, siginfo_t* info, void* raw) {
  auto* const context = static_cast<ucontext_t*>(raw);
  const Registers registers = registers_of(context);
  const long number = info->si_syscall;
  if (number == SYS_connect && is_ip(registers.second) && may_be_reached(registers.second)) {
    const int before = errno;
    const long result =
        ::syscall(SYS_connect, registers.first, registers.second, registers.third, 0, 0, k_pass);
    answer(context, result < 0 ? -errno : result);
    errno = before;
  } else if (number == SYS_connect) {
    if (is_ip(registers.second)) network_call = number;
    answer(context, is_ip(registers.second) ? -EACCES : -ENOENT);
  } else if (number == SYS_sendto) {
    if (is_ip(registers.fifth)) network_call = number;
    answer(context, -EACCES);
  } else {
    process_call = number;
    answer(context, -EAGAIN);
  }
}

constexpr sock_filter statement(uint16_t code, uint32_t value) {
  return {code, 0, 0, value};
}
constexpr sock_filter jump(uint16_t code, uint32_t value, uint8_t yes, uint8_t no) {
  return {code, yes, no, value};
}

}  // namespace

bool confine(const std::map<std::string, std::string>& hosts) {
  for (const auto& [name, address] : hosts) {
    in_addr v4{};
    in6_addr v6{};
    if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) reachable().push_back(mapped(v4));
    if (::inet_pton(AF_INET6, address.c_str(), &v6) == 1) reachable().push_back(v6);
  }
  struct sigaction action {};
  action.sa_sigaction = on_trap;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  if (::sigaction(SIGSYS, &action, nullptr) != 0) return false;
#ifdef SYS_fork
  constexpr auto k_fork = static_cast<uint32_t>(SYS_fork);
  constexpr auto k_vfork = static_cast<uint32_t>(SYS_vfork);
#else
  constexpr uint32_t k_fork = UINT32_MAX;
  constexpr uint32_t k_vfork = UINT32_MAX;
#endif
  constexpr uint16_t k_load = BPF_LD | BPF_W | BPF_ABS;
  constexpr uint16_t k_equal = BPF_JMP | BPF_JEQ | BPF_K;
  constexpr uint16_t k_return = BPF_RET | BPF_K;
  // clone3 passes its flags in memory, which a filter cannot read; the C library then uses clone.
  std::array program = {
      statement(k_load, offsetof(seccomp_data, arch)),
      jump(k_equal, k_machine, 0, 11),
      statement(k_load, offsetof(seccomp_data, nr)),
      jump(k_equal, static_cast<uint32_t>(SYS_connect), 16, 0),
      jump(k_equal, k_fork, 7, 0),
      jump(k_equal, k_vfork, 6, 0),
      jump(k_equal, static_cast<uint32_t>(SYS_clone3), 7, 0),
      jump(k_equal, static_cast<uint32_t>(SYS_sendto), 2, 0),
      jump(k_equal, static_cast<uint32_t>(SYS_clone), 7, 4),
      statement(k_return, SECCOMP_RET_ALLOW),
      statement(k_load, offsetof(seccomp_data, args[4])),
      jump(k_equal, 0, 1, 0),
      statement(k_return, SECCOMP_RET_TRAP),
      statement(k_return, SECCOMP_RET_ALLOW),
      statement(k_return, SECCOMP_RET_ERRNO | ENOSYS),
      statement(k_return, SECCOMP_RET_ALLOW),
      statement(k_load, offsetof(seccomp_data, args[0])),
      jump(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
      statement(k_return, SECCOMP_RET_ALLOW),
      statement(k_return, SECCOMP_RET_TRAP),
      statement(k_load, offsetof(seccomp_data, args[5])),
      jump(k_equal, k_pass, 0, 1),
      statement(k_return, SECCOMP_RET_ALLOW),
      statement(k_return, SECCOMP_RET_TRAP),
  };
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0;
}

std::string attempted_process() {
  return process_call < 0 ? ""
                          : "it tried to make a process (system call " + std::to_string(process_call) + ")";
}

std::string attempted_network() {
  return network_call < 0
             ? ""
             : "it tried to reach an IP address by itself (system call " + std::to_string(network_call) + ")";
}

}  // namespace par::kit
