import CaseworkContract
import CommonContract
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import CaseworkPlugin

@Suite("Messages")
struct MessageTests {
    private func message(_ key: String, mandatory: Bool = false) -> Pcs_Casework_V1_MessagePosted {
        .with {
            $0.messageKey = key
            $0.role = .mainContact
            $0.organisationCode = "PCS"
            $0.title = "Your bank details changed"
            $0.body = "Account of \(key)"
            $0.class = mandatory ? .mandatory : .ordinary
        }
    }

    @Test("a message is posted once, counted until read, and its readers are seen")
    func life() async throws {
        try await TestHost.with(TestHost.casework) { host in
            let ann = try await host.messages(try await host.member("ann", [Roles.mainContact]))
            let ben = try await host.messages(try await host.member("ben", [Roles.orderEntryClerk]))
            try await host.publish(message("m1", mandatory: true))
            try await host.publish(message("m1", mandatory: true))
            try await host.publish(
                Pcs_Casework_V1_MessagePosted.with {
                    $0.messageKey = "m2"
                    $0.personID = "ben"
                    $0.title = "To you alone"
                })
            #expect(try await ann.countUnread(.init()).unread == 1)
            #expect(try await ann.countUnread(.init()).unreadMandatory == 1)
            #expect(try await ben.listMessages(.init()).messages.map(\.title) == ["To you alone"])
            let id = try #require(try await ann.listMessages(.init()).messages.first?.messageID)
            #expect(
                await refusal { try await ben.getMessage(.with { $0.messageID = id }) }
                    == CaseworkReasons.messageNotFound)
            let read = try await ann.markRead(.with { $0.messageID = id })
            #expect(read.read)
            #expect(read.receipts.map(\.personID) == ["ann"])
            #expect(try await ann.countUnread(.init()).unread == 0)
            #expect(try await ann.listMessages(.with { $0.unreadOnly = true }).messages.isEmpty)
            #expect(try await ben.countUnread(.init()).unread == 1)
        }
    }

    @Test(
        "new messages arrive at those who watch", .timeLimit(.minutes(1)),
        arguments: [TestHost.Fidelity.inProcess, .unixSocket])
    func watching(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with(TestHost.casework) { host in
            let ann = try await host.member("ann", [Roles.mainContact])
            try await host.publish(message("before"))
            let seen = try host.store(of: "casework").read { try CounterStore.current($0) }
            try await host.publish(message("m0"))
            let arrivals = try await host.messages(ann, fidelity).watchMessages(
                .with { $0.afterPosition = seen })
            var iterator = arrivals.makeAsyncIterator()
            #expect(try await iterator.next()?.message.body == "Account of m0")
            try await host.publish(message("m1"))
            #expect(try await iterator.next()?.message.body == "Account of m1")
        }
    }

    @Test("notifications hold titles only; the mandatory class cannot be switched off")
    func notifications() async throws {
        try await TestHost.with(TestHost.casework) { host in
            let ann = try await host.member("ann", [Roles.mainContact])
            let mail = try await host.client("mail", roles: [Roles.noticeSender])
            let own = Pcs_Casework_V1_NotificationServiceClient(try await host.transport(.inProcess, as: ann))
            let sender = Pcs_Casework_V1_NotificationServiceClient(
                try await host.transport(.inProcess, as: mail))
            #expect(try await own.getNotificationPreference(.init()).tasks == .atOnce)
            var wanted = Pcs_Casework_V1_SetNotificationPreferenceRequest.with {
                $0.tasks = .dailyDigest
                $0.messages = .off
                $0.mandatory = .off
            }
            let refused = wanted
            #expect(
                await refusal { try await own.setNotificationPreference(refused) } == HostReasons.fieldInvalid
            )
            wanted.mandatory = .unspecified
            #expect(try await own.setNotificationPreference(wanted).messages == .off)
            try await host.publish(message("m1", mandatory: true))
            try await host.publish(task("performers/change/1"))
            let all = try await sender.listNotifications(.init()).notifications
            #expect(all.map(\.kind) == [.message, .task])
            #expect(all.map(\.mandatory) == [true, false])
            #expect(all.map(\.title) == ["Your bank details changed", "Confirm a change"])
            #expect(!all.contains { "\($0)".contains("Account of") })
            let last = try #require(all.last?.position)
            #expect(
                try await sender.listNotifications(.with { $0.afterPosition = last }).notifications.isEmpty)
            #expect(
                try await sender.listNotificationPreferences(.init()).preferences.map(\.personID) == ["ann"])
            #expect(await refusal { try await own.listNotifications(.init()) } != nil)
        }
    }
}
