// The peer on C++ gRPC: echo on the callback API, the fastest that gRPC's documentation offers. Serves on a free port
// of 127.0.0.1 until it is ended, and prints "listening PORT" once it takes calls.
#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <memory>

#include "peer.grpc.pb.h"

namespace peer = pcs::benchmark::v1;

class EchoService final : public peer::PeerService::CallbackService {
    grpc::ServerUnaryReactor *Echo(grpc::CallbackServerContext *context, const peer::EchoRequest *request,
                                   peer::EchoReply *reply) override {
        reply->set_payload(request->payload());
        reply->set_number(request->number());
        reply->set_text(request->text());
        grpc::ServerUnaryReactor *reactor = context->DefaultReactor();
        reactor->Finish(grpc::Status::OK);
        return reactor;
    }
};

int main() {
    EchoService service;
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    if (!server || port == 0) {
        std::fprintf(stderr, "grpc-cpp-peer: cannot listen\n");
        return 1;
    }
    std::printf("listening %d\n", port);
    std::fflush(stdout);
    server->Wait();
    return 0;
}
