package import HostContract
package import PluginAPI

/// Events as operators see them.
package struct EventServiceHandler: Pcs_Host_V1_EventService {
    private let pump: EventPump

    package init(pump: EventPump) { self.pump = pump }

    package func listSubscriptions(
        _ request: Pcs_Host_V1_ListSubscriptionsRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ListSubscriptionsResponse {
        let subscriptions = try pump.subscriptions()
        return .with { response in
            response.subscriptions = subscriptions.map { status in
                .with {
                    $0.publisher = status.publisher
                    $0.subscriber = status.subscriber
                    $0.eventType = status.eventType
                    $0.deliveredUpTo = status.deliveredUpTo
                    $0.waiting = status.waiting
                    $0.parked = status.parked
                }
            }
        }
    }

    package func listParkedEvents(
        _ request: Pcs_Host_V1_ListParkedEventsRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ListParkedEventsResponse {
        let parked = try pump.parked(subscriber: request.subscriber.isEmpty ? nil : request.subscriber)
        return .with { response in
            response.events = parked.map { subscriber, event in
                .with {
                    $0.subscriber = subscriber
                    $0.publisher = event.publisher
                    $0.sequence = event.sequence
                    $0.eventType = event.type
                    $0.key = event.key
                    $0.attempts = Int32(clamping: event.attempts)
                    $0.failure =
                        event.head == event.sequence ? event.failure : "waits behind event \(event.head)"
                    $0.parkedAt = .init(event.parkedAt)
                }
            }
        }
    }

    /// The delivery has effects of its own, each in its transaction; what is committed for the call is that
    /// it was tried.
    package func retryParkedEvent(
        _ request: Pcs_Host_V1_RetryParkedEventRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_RetryParkedEventResponse {
        let failure = try await pump.retry(
            subscriber: request.subscriber, publisher: request.publisher, sequence: request.sequence)
        return try await call.commit { transaction in
            let what = "event/\(request.publisher)/\(request.sequence)"
            transaction.audit(
                AuditNote(
                    object: what,
                    detail:
                        "retried for \(request.subscriber): \(failure.map { "failed: \($0)" } ?? "delivered")"
                ))
            return .with {
                $0.delivered = failure == nil
                $0.failure = failure ?? ""
            }
        }
    }
}
