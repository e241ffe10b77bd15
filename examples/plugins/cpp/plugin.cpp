// A plugin in C++ with the SDK: a connection, the HTTP service, JSON.
#include <string>

#include <par/connection.hpp>
#include <par/json.hpp>
#include <par/plugin.hpp>

class Tickets {
 public:
  void get_ticket(const par::Request& request, par::Call& call) const {
    const par::Connection connection(request.connection_json());
    par::json::Document inputs;
    std::string problem;
    if (!par::json::parse(request.inputs_json(), inputs, problem)) throw par::Error(problem);
    const std::string id = std::to_string(par::json::find(inputs, "id")->GetInt64());

    auto response = call.http()
                        .request("GET", std::string(connection.require("url")) + "/tickets/" + id)
                        .header("X-Api-Key", connection.require("apiKey"))
                        .send();
    const std::string body = response.read_all();
    if (response.status() == 404) throw par::Error("there is no ticket " + id);
    if (response.status() != 200) {
      throw par::Error("the ticket system answered with status " + std::to_string(response.status()));
    }
    // Nothing that a server says is believed before it is looked at.
    par::json::Document ticket;
    if (!par::json::parse(body, ticket, problem) || !ticket.IsObject()) {
      throw par::Error("the ticket system did not answer with a JSON object: " + problem);
    }
    call.result({R"({"ticket":)", par::json::write(ticket), "}"});
  }
};

PAR_PLUGIN(Tickets, {"getTicket", &Tickets::get_ticket});
