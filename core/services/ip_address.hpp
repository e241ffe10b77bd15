#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr_storage;

namespace par::core {

/// A numeric address. IPv4 fills the first four bytes.
struct IpAddress {
  bool ipv6 = false;
  std::array<uint8_t, 16> bytes{};
  uint32_t zone = 0;  ///< interface index of a link-local IPv6 address; 0: none

  /// The usual text forms and nothing else (no "0x7f.1"). An IPv6 address may carry a zone: "fe80::1%eth0".
  static std::optional<IpAddress> parse(std::string_view text);
  static std::optional<IpAddress> from_socket_address(const sockaddr_storage& address);

  std::string text() const;
  /// Fills `out`; returns its length.
  unsigned socket_address(uint16_t port, sockaddr_storage& out) const;
  /// Without its zone, and as IPv4 if it is an IPv4 address in one of the IPv6 forms that may reach the same
  /// host: mapped (::ffff:a.b.c.d), compatible (::a.b.c.d), translated (::ffff:0:a.b.c.d), NAT64
  /// (64:ff9b::a.b.c.d, and the last four bytes of the local-use network 64:ff9b:1::/48).
  IpAddress normalised() const;
  /// Are the first `bits` bits those of `network`?
  bool in_network(const IpAddress& network, unsigned bits) const;

  bool operator==(const IpAddress&) const = default;
};

}  // namespace par::core
