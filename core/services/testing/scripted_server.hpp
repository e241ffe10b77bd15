#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/services/testing/test_ca.hpp"

namespace par::core::testing {

/// One accepted connection, in the hands of a script. Reading at the end and writing to a closed peer do
/// nothing.
class Peer {
 public:
  struct State;
  explicit Peer(std::shared_ptr<State> state) : state_(std::move(state)) {}

  /// Number of this connection at its server, from 0.
  size_t index() const;
  /// The next request: head and a body of its Content-Length. Empty when the other side has closed.
  std::string read_request();
  /// At most `size` bytes; fewer only at the end.
  std::string read(size_t size);
  /// False if the other side has closed.
  bool send(std::string_view bytes);
  /// What is sent while `together` is set leaves in one piece, also if TLS makes several records of it.
  void hold_back(bool together);
  /// 200 with that body and a Content-Length.
  void answer(std::string_view body, std::string_view more_headers = "");
  /// Waits until the other side has closed.
  void wait_for_close();
  /// Ends the connection with a reset.
  void reset();
  /// From now on TLS, as the server's side. False if the handshake fails.
  bool start_tls(const Certificate& certificate, const std::string& client_ca_pem = "");
  /// The server name that the client asked for, if any.
  std::string server_name() const;
  /// Passes bytes in both directions between this peer and 127.0.0.1:port until one side closes.
  void relay(uint16_t port);

 private:
  std::shared_ptr<State> state_;
};

/// A server on 127.0.0.1 that says exactly what a script says. Each connection runs the script on a thread of
/// its own; the connection closes when the script returns. The destructor shuts everything down and waits for
/// all scripts.
class ScriptedServer {
 public:
  using Script = std::function<void(Peer&)>;
  explicit ScriptedServer(Script script);
  /// The same over TLS.
  ScriptedServer(Script script, Certificate certificate, std::string client_ca_pem = "");
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  uint16_t port() const;
  /// http://127.0.0.1:port + path (https for a server with TLS).
  std::string url(std::string_view path = "/") const;
  size_t connections() const;
  /// Every request that read_request() returned, in order.
  std::vector<std::string> requests() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// A script that answers every request with 200 and this body, and keeps the connection.
ScriptedServer::Script always(std::string body);

}  // namespace par::core::testing
