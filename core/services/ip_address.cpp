#include "core/services/ip_address.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace par::core {
namespace {

std::optional<uint32_t> parse_zone(const std::string& zone) {
  uint32_t index = 0;
  const auto [end, error] = std::from_chars(zone.data(), zone.data() + zone.size(), index);
  if (error == std::errc() && end == zone.data() + zone.size()) return index;
  index = if_nametoindex(zone.c_str());
  if (index == 0) return std::nullopt;
  return index;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  IpAddress address;
  const size_t percent = text.find('%');
  const std::string number(text.substr(0, percent));
  if (percent == std::string_view::npos && inet_pton(AF_INET, number.c_str(), address.bytes.data()) == 1) {
    return address;
  }
  if (inet_pton(AF_INET6, number.c_str(), address.bytes.data()) != 1) return std::nullopt;
  address.ipv6 = true;
  if (percent != std::string_view::npos) {
    const auto zone = parse_zone(std::string(text.substr(percent + 1)));
    if (!zone) return std::nullopt;
    address.zone = *zone;
  }
  return address;
}

std::optional<IpAddress> IpAddress::from_socket_address(const sockaddr_storage& address) {
  IpAddress out;
  if (address.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address);
    std::memcpy(out.bytes.data(), &in.sin_addr, 4);
    return out;
  }
  if (address.ss_family != AF_INET6) return std::nullopt;
  const auto& in = reinterpret_cast<const sockaddr_in6&>(address);
  out.ipv6 = true;
  out.zone = in.sin6_scope_id;
  std::memcpy(out.bytes.data(), &in.sin6_addr, 16);
  return out;
}

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN] = {};
  inet_ntop(ipv6 ? AF_INET6 : AF_INET, bytes.data(), buffer, sizeof buffer);
  return zone == 0 ? buffer : std::string(buffer) + "%" + std::to_string(zone);
}

unsigned IpAddress::socket_address(uint16_t port, sockaddr_storage& out) const {
  std::memset(&out, 0, sizeof out);
  if (!ipv6) {
    auto& in = reinterpret_cast<sockaddr_in&>(out);
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, bytes.data(), 4);
    return sizeof in;
  }
  auto& in = reinterpret_cast<sockaddr_in6&>(out);
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(port);
  in.sin6_scope_id = zone;
  std::memcpy(&in.sin6_addr, bytes.data(), 16);
  return sizeof in;
}

IpAddress IpAddress::normalised() const {
  IpAddress out = *this;
  out.zone = 0;
  if (!ipv6) return out;
  using Prefix = std::array<uint8_t, 12>;
  constexpr Prefix k_compatible{};
  constexpr Prefix k_mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr Prefix k_translated{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0};
  constexpr Prefix k_nat64{0, 0x64, 0xff, 0x9b};
  constexpr Prefix k_local_nat64{0, 0x64, 0xff, 0x9b, 0, 1};
  const auto starts_with = [&](const Prefix& prefix, size_t length = sizeof(Prefix)) {
    return std::equal(prefix.begin(), prefix.begin() + length, bytes.begin());
  };
  // :: and ::1 look like IPv4-compatible addresses and are not; nor is anything else in 0.0.0.0/8.
  const bool compatible = starts_with(k_compatible) && bytes[12] != 0;
  if (!compatible && !starts_with(k_mapped) && !starts_with(k_translated) && !starts_with(k_nat64) &&
      !starts_with(k_local_nat64, 6)) {
    return out;
  }
  IpAddress v4;
  std::copy(bytes.begin() + 12, bytes.end(), v4.bytes.begin());
  return v4;
}

bool IpAddress::in_network(const IpAddress& network, unsigned bits) const {
  if (ipv6 != network.ipv6 || bits > (ipv6 ? 128u : 32u)) return false;
  for (unsigned bit = 0; bit < bits; ++bit) {
    const auto mask = static_cast<uint8_t>(0x80u >> (bit % 8));
    if ((bytes[bit / 8] & mask) != (network.bytes[bit / 8] & mask)) return false;
  }
  return true;
}

}  // namespace par::core
