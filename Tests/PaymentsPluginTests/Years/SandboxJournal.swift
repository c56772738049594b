import Accounting
import CommonContract
import Foundation
import PaymentsContract
import PluginAPI
import Testing

@testable import PaymentsPlugin

/// The exported journal, read as plain text.
struct SandboxJournal {
    let text: String
    /// Pence by account.
    private(set) var balances: [String: Int64] = [:]
    private(set) var entries = 0

    /// - Parameter month: only what is dated in it; `nil` = all.
    init(of month: YearMonth?, _ area: SandboxArea) async throws {
        let client = Pcs_Payments_V1_PaymentFileServiceClient(
            try await area.office.transport(area.office.operating))
        var text = ""
        let request = Pcs_Payments_V1_ExportJournalRequest.with {
            if let month {
                ($0.from, $0.to) = (Pcs_Common_V1_Date(month.firstDay), Pcs_Common_V1_Date(month.lastDay))
            }
        }
        for try await chunk in try await client.exportJournal(request) {
            text += String(decoding: chunk.data, as: UTF8.self)
        }
        self.text = text
        for entry in text.components(separatedBy: "\n\n") where entry.contains("\n    ") {
            entries += 1
            var sum: Int64 = 0
            for line in entry.split(separator: "\n") where line.hasPrefix("    ") {
                let parts = line.dropFirst(4).components(separatedBy: "  GBP ")
                let amount = try #require(parts.last?.split(separator: " ").first)
                let pence = try #require(Money(String(amount))?.pence, "\(line)")
                sum += pence
                balances[parts[0], default: 0] += pence
            }
            #expect(sum == 0, "\(entry)")
        }
    }

    /// The journal says what the statements say, and what is owed is what the bank was not told to pay or sent back.
    func settle(_ audit: SandboxAudit, net: Int64, owed: Int64) throws {
        let book = PaycodeBook(PaycodeFile.read(PackageResources.paycodes_csv).rows)
        var accounts: [String: Int64] = [:]
        for (key, pence) in audit.booked {
            let parts = key.split(separator: " ", omittingEmptySubsequences: false)
            let paycode = try #require(Paycode.allCases.first { $0.code == parts[0] })
            let place = parts[1].isEmpty ? "none" : String(parts[1])
            let account =
                paycode == .balanceForward
                ? "assets:carried forward"
                : "expenses:\(book.entry(paycode)?.heading ?? "Other Payments"):\(place)"
            accounts[account, default: 0] += pence
        }
        for (account, pence) in accounts { #expect(balances[account] == pence, "\(account)") }
        #expect(balances["liabilities:payees"] == -owed)
        #expect(balances["assets:bank"] == owed - net)
    }
}
