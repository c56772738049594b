import CommonContract
import Foundation
import HostContract
import Logging
import PaymentsContract
import PluginAPI
import SwiftProtobuf
import Testing

@Suite("a service bound to its table")
struct BindingTests {
    private let transport = LoopbackTransport(Pcs_Host_V1_DiagnosticsServiceMethods.bind(Diagnostics()))
    private var client: Pcs_Host_V1_DiagnosticsServiceClient {
        Pcs_Host_V1_DiagnosticsServiceClient(transport)
    }

    @Test("is bound method by method, in the table's order")
    func allMethods() {
        let bound = Pcs_Host_V1_DiagnosticsServiceMethods.bind(Diagnostics())
        #expect(bound.map(\.descriptor) == Pcs_Host_V1_DiagnosticsServiceMethods.all)
    }

    @Test("answers a unary call of its client")
    func unary() async throws {
        let reply = try await client.echo(
            .with {
                $0.text = "grüezi"; $0.number = -1; $0.payload = Data([0, 255])
            })
        #expect(
            reply
                == .with {
                    $0.text = "grüezi"; $0.number = -1; $0.payload = Data([0, 255])
                })
    }

    @Test("streams replies to its client in order")
    func serverStreaming() async throws {
        var numbers: [Int64] = []
        for try await reply in try await client.count(.with { $0.count = 5 }) { numbers.append(reply.number) }
        #expect(numbers == [1, 2, 3, 4, 5])
    }

    @Test("takes streamed requests, the first included")
    func clientStreaming() async throws {
        let requests: [Pcs_Host_V1_CollectRequest] = (1...4).map { number in .with { $0.number = number } }
        let fromArray = try await client.collect(requests)
        #expect(
            fromArray
                == .with {
                    $0.messages = 4; $0.sum = 10
                })

        let stream = AsyncThrowingStream<Pcs_Host_V1_CollectRequest, any Error> { continuation in
            for request in requests { continuation.yield(request) }
            continuation.finish()
        }
        #expect(try await client.collect(stream) == fromArray)
    }

    @Test("passes refusals on as they are")
    func refusal() async throws {
        let failure = await #expect(throws: Failure.self) {
            try await client.readNote(.with { $0.noteNumber = 7 })
        }
        #expect(failure?.reason == HostReasons.notFound)
    }

    @Test("uses the client's options unless the call has its own")
    func options() async throws {
        let client = Pcs_Host_V1_DiagnosticsServiceClient(transport, options: CallOptions(actingFor: "PCS"))
        #expect(try await client.wait(.init()).waitedMilliseconds == 3)
        #expect(
            try await client.wait(.init(), options: CallOptions(actingFor: "A81001")).waitedMilliseconds == 6)
    }

    @Test("refuses bytes that are not its request, before any handler runs")
    func malformed() throws {
        let bound = Pcs_Host_V1_DiagnosticsServiceMethods.bind(Diagnostics())
        let garbage: [UInt8] = [0xFF, 0xFF, 0xFF]
        for method in bound {
            let failure = #expect(throws: RequestDecodingFailure.self) {
                switch method.handler {
                case .unary(let prepare): _ = try prepare(garbage)
                case .serverStreaming(let prepare): _ = try prepare(garbage)
                case .clientStreaming(let prepare): _ = try prepare(garbage)
                }
            }
            #expect(failure?.messageType == method.descriptor.requestType)
        }
    }

    @Test("refuses a further message that is not its request")
    func malformedLater() async throws {
        let valid: [UInt8] = try Pcs_Host_V1_CollectRequest.with { $0.number = 1 }.serializedBytes()
        let messages = AsyncThrowingStream<[UInt8], any Error> { continuation in
            continuation.yield(valid)
            continuation.yield([0xFF])
            continuation.finish()
        }
        let failure = await #expect(throws: RequestDecodingFailure.self) {
            try await transport.clientStreaming(
                Pcs_Host_V1_DiagnosticsServiceMethods.collect, messages, CallOptions())
        }
        #expect(failure?.messageType == "pcs.host.v1.CollectRequest")
    }

    @Test("tells the organisations that the request names")
    func organisations() throws {
        let request = Pcs_Payments_V1_GetContractRequest.with { $0.practiceCode = "A81001" }
        let bound = Pcs_Payments_V1_ContractServiceMethods.bind(NoContracts())
        let method = try #require(
            bound.first { $0.descriptor == Pcs_Payments_V1_ContractServiceMethods.getContract })
        guard case .unary(let prepare) = method.handler else {
            Issue.record("GetContract is unary")
            return
        }
        let prepared = try prepare(try request.serializedBytes())
        #expect(prepared.organisations == [OrganisationTarget(field: "practice_code", code: "A81001")])
    }
}
