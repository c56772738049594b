import CaseworkContract
import HostContract
import PluginAPI

/// What casework takes from others: tasks and messages of every area, and changes of the register.
struct CaseworkEvents: Sendable {
    let tasks: TaskBook
    let messages: MessageBook
    let enquiries: EnquiryRequests

    /// Areas that may publish; one that is not installed here, or not yet, publishes nothing.
    static let publishers = [
        "host", "payments", "performers", "registrations", "supplies", "pensions", "cqrs", "documents",
        "changes",
    ]

    var subscriptions: [Subscription] {
        let (tasks, messages, enquiries) = (tasks, messages, enquiries)
        let areas = Self.publishers.flatMap { area in
            [
                Subscription(to: Pcs_Casework_V1_TaskRequested.self, from: area) { event, _, transaction in
                    try tasks.request(event, from: area, in: transaction)
                },
                Subscription(to: Pcs_Casework_V1_TaskSettled.self, from: area) { event, _, transaction in
                    try tasks.settle(event, from: area, in: transaction)
                },
                Subscription(to: Pcs_Casework_V1_MessagePosted.self, from: area) { event, _, transaction in
                    try messages.post(event, from: area, in: transaction)
                },
                Subscription(to: Pcs_Casework_V1_EnquiryRequested.self, from: area) { event, _, transaction in
                    try enquiries.receive(event, from: area, in: transaction)
                },
            ]
        }
        let register = Subscription(to: Pcs_Host_V1_OrganisationChanged.self, from: "host") {
            event, _, transaction in
            guard event.kind == .commissionerChanged, let provider = ODSCode(event.code) else { return }
            // A change to come is followed on its day, by the daily job.
            _ = try tasks.follow(provider, on: tasks.context.clock.today, in: transaction)
        }
        return areas + [register]
    }
}
