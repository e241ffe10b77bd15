// par/plugin.hpp: the C++17 SDK for plugins. Header-only, needs nothing but the standard library.
//
//   class Hello {
//    public:
//     void greet(const par::Request& request, par::Call& call) const {
//       call.log(par::LogLevel::info, "greeting");
//       call.result(R"({"text":"hello"})");
//     }
//   };
//   PAR_PLUGIN(Hello, {"greet", &Hello::greet});
//
// - An action takes the request and the call, hands over one result, and returns. It fails by throwing:
//   par::Error (or call.fail) is a failure of the action, published with its text; any other exception is
//   reported as a defect. Nothing that is thrown leaves the plugin.
// - The class may have a constructor that takes par::Setup: settings, host, and the call of open.
// - Objects are views of what the host lends: use them until the action has returned, from any thread.
// - JSON is text here. par/json.hpp and par/connection.hpp read it with RapidJSON; both are optional.
#pragma once

#include <par/sdk/call.hpp>
#include <par/sdk/entry.hpp>
#include <par/sdk/error.hpp>
#include <par/sdk/http.hpp>
#include <par/sdk/net.hpp>
#include <par/sdk/process.hpp>
