#include "fake_server.hpp"

#include <chrono>
#include <mutex>

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

namespace temporal_plugin::test {

class FakeServer::Service : public grpc::CallbackGenericService {
 public:
  explicit Service(std::function<Answer(const Call&)> answer) : answer_(std::move(answer)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service() override { server_->Shutdown(std::chrono::system_clock::now()); }

  Answer answer(Call call) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
    return answer_(calls_.back());
  }
  std::vector<Call> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  int port() const { return port_; }

 private:
  class Exchange : public grpc::ServerGenericBidiReactor {
   public:
    Exchange(Service& service, grpc::GenericCallbackServerContext& context) : service_(service) {
      call_.path = context.method();
      call_.method = call_.path.substr(call_.path.rfind('/') + 1);
      call_.authority = context.host();
      for (const auto& [name, value] : context.client_metadata())
        call_.metadata[{name.data(), name.size()}] = {value.data(), value.size()};
      const std::chrono::duration<double> left = context.deadline() - std::chrono::system_clock::now();
      call_.seconds_left = left.count();
      StartRead(&request_);
    }

    void OnReadDone(bool) override {
      std::vector<grpc::Slice> slices;
      (void)request_.Dump(&slices);
      for (const grpc::Slice& slice : slices)
        call_.request.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
      const Answer answer = service_.answer(std::move(call_));
      if (answer.code != 0) {
        Finish(grpc::Status(static_cast<grpc::StatusCode>(answer.code), answer.text, answer.details));
        return;
      }
      const grpc::Slice slice(answer.response);
      response_ = grpc::ByteBuffer(&slice, 1);
      StartWriteAndFinish(&response_, {}, grpc::Status::OK);
    }
    void OnDone() override { delete this; }

   private:
    Service& service_;
    Call call_;
    grpc::ByteBuffer request_;
    grpc::ByteBuffer response_;
  };

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    return new Exchange(*this, *context);
  }

  const std::function<Answer(const Call&)> answer_;
  mutable std::mutex mutex_;
  std::vector<Call> calls_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

FakeServer::FakeServer(std::function<Answer(const Call&)> answer)
    : service_(std::make_unique<Service>(std::move(answer))) {}
FakeServer::~FakeServer() = default;

uint16_t FakeServer::port() const {
  return static_cast<uint16_t>(service_->port());
}
std::vector<FakeServer::Call> FakeServer::calls() const {
  return service_->calls();
}

}  // namespace temporal_plugin::test
