#include "delete_multiple.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <par/json.hpp>

#include "bodies.hpp"
#include "errors.hpp"
#include "members.hpp"
#include "outputs.hpp"

namespace kubernetes {
namespace {

// Names and metadata suffice to delete; servers that do not know this form send whole objects.
constexpr std::string_view k_metadata_only =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
constexpr int64_t k_page = 500;
// Much more than a page of metadata takes.
constexpr uint64_t k_largest_page = 32u << 20;

struct Found {
  std::string name;
  std::string uid;
};

bool succeeded(const par::HttpResponse& response) {
  return response.status() >= 200 && response.status() <= 299;
}

class OneByOne {
 public:
  OneByOne(Client& client, const Kind& kind, const VerbRow& verb, const Inputs& inputs)
      : client_(client), kind_(kind), verb_(verb), inputs_(inputs) {}

  void run() {
    list();
    for (const Found& object : found_) {
      try {
        if (remove(object)) ++deleted_;
      } catch (const par::Error& error) {
        throw par::Error(error.status(), progress() + error.message());
      }
    }
  }

 private:
  void list() {
    std::string token;
    do {
      const int64_t missing = inputs_.limit - static_cast<int64_t>(found_.size());
      Query query = selection(inputs_, inputs_.limit == 0 ? k_page : std::min(missing, k_page));
      query.add("continue", token);
      ApiRequest request{"GET", collection_path(kind_, inputs_.name_space) + query.text()};
      request.accept = k_metadata_only;
      par::HttpResponse response = client_.send(request);
      if (!succeeded(response)) {
        throw par::Error(failure_of({kind_, verb_, "list", inputs_.name_space, {}}, client_, response));
      }
      token = add_page(client_.read(response, k_largest_page));
    } while (!token.empty() && (inputs_.limit == 0 || static_cast<int64_t>(found_.size()) < inputs_.limit));
  }

  // The token of the next page.
  std::string add_page(const std::string& answer) {
    par::json::Document document;
    std::string error;
    const par::json::Value* items = nullptr;
    if (par::json::parse(answer, document, error)) items = par::json::find(document, "items");
    if (items == nullptr) {
      throw par::Error("the answer of " + client_.cluster().server + " is no list of " + kind_.resource() +
                       " in JSON");
    }
    if (items->IsArray()) {
      for (const auto& item : items->GetArray()) {
        const auto* const metadata = par::json::find(item, "metadata");
        if (metadata == nullptr) continue;
        found_.push_back({std::string(text_of(*metadata, "name")), std::string(text_of(*metadata, "uid"))});
      }
    }
    const auto* const metadata = par::json::find(document, "metadata");
    return metadata == nullptr ? std::string() : std::string(text_of(*metadata, "continue"));
  }

  // False if it is gone already, or another one has its name now.
  bool remove(const Found& object) {
    const std::string body = delete_options(inputs_, object.uid);
    ApiRequest request{"DELETE", object_path(kind_, inputs_.name_space, object.name), body};
    par::HttpResponse response = client_.send(request);
    const Attempt attempt{kind_, verb_, "delete", inputs_.name_space, object.name};
    if (succeeded(response)) {
      client_.discard(std::move(response));
      return true;
    }
    const int status = response.status();
    const std::string failure = failure_of(attempt, client_, response);
    const bool gone =
        status == 404 || (status == 409 && failure.find("UID in precondition") != std::string::npos);
    if (!gone) throw par::Error(failure);
    return false;
  }

  std::string progress() const {
    return "deleted " + std::to_string(deleted_) + " of " + std::to_string(found_.size()) + " " +
           kind_.resource() + ", then: ";
  }

  Client& client_;
  const Kind& kind_;
  const VerbRow& verb_;
  const Inputs& inputs_;
  std::vector<Found> found_;
  size_t deleted_ = 0;
};

}  // namespace

Query selection(const Inputs& inputs, int64_t limit) {
  Query query;
  query.add("labelSelector", inputs.label_selector).add("fieldSelector", inputs.field_selector);
  if (limit > 0) query.add("limit", std::to_string(limit));
  return query;
}

void delete_multiple(Client& client, const Kind& kind, const VerbRow& verb, const Inputs& inputs) {
  const std::string body = delete_options(inputs);
  const std::string path = collection_path(kind, inputs.name_space);
  ApiRequest request{"DELETE", path + selection(inputs, inputs.limit).text(), body};
  {
    par::HttpResponse response = client.send(request);
    if (succeeded(response)) return client.discard(std::move(response));
    if (response.status() != 403) {
      throw par::Error(failure_of({kind, verb, "deletecollection", inputs.name_space, {}}, client, response));
    }
    client.discard(std::move(response));
  }
  OneByOne(client, kind, verb, inputs).run();
}

}  // namespace kubernetes
