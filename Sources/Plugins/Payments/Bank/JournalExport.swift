import PluginAPI

/// The double-entry journal in the plain text that hledger reads: what each published run owes, by heading and
/// commissioner, and what each submitted file and each return moved at the bank. Every transaction balances by
/// construction: its last posting is the negative sum of the others. Every account is declared before its first use, so
/// that a strict reader takes a misspelt one for what it is.
struct JournalExport: Sendable {
    let store: any Store
    let from: CalendarDate?
    let to: CalendarDate?

    private func covers(_ day: CalendarDate) -> Bool {
        (from.map { day >= $0 } ?? true) && (to.map { day <= $0 } ?? true)
    }

    /// Calls `write` with pieces of the text, in order.
    func send(_ write: ([UInt8]) async throws -> Void) async throws {
        let (runs, files, paycodes) = try store.read { reader in
            (
                try RunStore.runs(reader).filter { $0.state.isPublished && covers($0.paymentDate) },
                try PaymentFileStore.submitted(reader).filter { covers($0.paymentDate) },
                try ReferenceStore.paycodes(knownAt: .max, reader)
            )
        }
        var head = "; pounds sterling; runs, files and returns\ncommodity GBP 1000.00\n\n"
        head += "account liabilities:payees\naccount assets:bank\naccount assets:carried forward\n\n"
        try await write(Array(head.utf8))
        var declared: Set<String> = []
        for run in runs {
            let booked = try store.read { try entries(of: run, paycodes, $0) }
            let new = booked.accounts.subtracting(declared).sorted()
            declared.formUnion(new)
            let accounts = new.isEmpty ? "" : new.map { "account \($0)\n" }.joined() + "\n"
            try await write(Array((accounts + booked.text).utf8))
        }
        for file in files { try await write(Array(entry(of: file).utf8)) }
        // On the day on which it was recorded, however late that was: earlier books stay as they are.
        let returns = try store.read { try PaymentFileStore.returns($0) }.filter { covers($0.day) }
        for returned in returns {
            var text = "\(returned.day) return of \(returned.reference)\n"
            text += posting("assets:bank", returned.pence, comment: "")
            text += posting("liabilities:payees", -returned.pence, comment: "") + "\n"
            try await write(Array(text.utf8))
        }
    }

    /// One transaction a commissioner, and the expense accounts that they post to.
    private func entries(
        of run: RunRecord, _ paycodes: PaycodeBook, _ reader: any Reader
    ) throws -> (text: String, accounts: Set<String>) {
        var sums: [String: [Paycode: Int64]] = [:]
        var after = ""
        while true {
            let page = try refusing { try StatementStore.page(of: run.id, after: after, limit: 500, reader) }
            guard let last = page.last else { break }
            for stored in page {
                for line in stored.document.lines {
                    sums[stored.document.commissioner, default: [:]][line.paycode, default: 0] += line.pence
                }
            }
            after = last.document.practice.value
        }
        var text = ""
        var accounts: Set<String> = []
        for (commissioner, amounts) in sums.sorted(by: { $0.key < $1.key }) {
            let place = commissioner.isEmpty ? "none" : commissioner
            text += "\(run.paymentDate) run \(run.id) \(place)\n"
            var total: Int64 = 0
            for (paycode, pence) in amounts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                total += pence
                let heading = paycodes.entry(paycode)?.heading ?? "Other Payments"
                let account =
                    paycode == .balanceForward ? "assets:carried forward" : "expenses:\(heading):\(place)"
                if paycode != .balanceForward { accounts.insert(account) }
                text += posting(account, pence, comment: paycode.code)
            }
            text += posting("liabilities:payees", -total, comment: "") + "\n"
        }
        return (text, accounts)
    }

    /// What a file moved.
    private func entry(of file: PaymentFileStore.File) -> String {
        var text = "\(file.paymentDate) file \(file.id) \(file.serial)\n"
        text += posting("liabilities:payees", file.totalPence, comment: "")
        return text + posting("assets:bank", -file.totalPence, comment: "") + "\n"
    }

    private func posting(_ account: String, _ pence: Int64, comment: String) -> String {
        let sign = pence < 0 ? "-" : ""
        let pounds = pence.magnitude / 100
        let rest = pence.magnitude % 100
        let amount = "GBP \(sign)\(pounds).\(rest < 10 ? "0" : "")\(rest)"
        return "    \(account)  \(amount)" + (comment.isEmpty ? "" : "  ; \(comment)") + "\n"
    }
}
