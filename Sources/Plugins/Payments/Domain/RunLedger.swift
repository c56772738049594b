import PluginAPI

/// All amounts of a run in few bytes: who was paid how much on which paycode for which month. Later runs read it for
/// the year to date, for differences of past months and for balances, without opening the statements.
struct RunLedger: Sendable {
    struct Entry: Hashable, Sendable {
        var paycode: Paycode
        var month: YearMonth
        var pence: Int64
        var source: LineSource
    }

    struct Account: Hashable, Sendable {
        var practice: ODSCode
        var entries: [Entry]
    }

    /// 2 since lines come from more than contracts; 1 held no source.
    private static let format: UInt8 = 2

    static func encode(_ accounts: some Collection<Account>) -> [UInt8] {
        var writer = CompactWriter()
        writer.byte(format)
        writer.count(accounts.count)
        for account in accounts {
            writer.text(account.practice.value)
            writer.count(account.entries.count)
            for entry in account.entries {
                writer.byte(entry.paycode.rawValue)
                writer.signed(Int64(entry.month.index))
                writer.signed(entry.pence)
                writer.byte(entry.source.rawValue)
            }
        }
        return writer.bytes
    }

    static func decode(_ bytes: [UInt8]) throws(PaymentsError) -> [Account] {
        do throws(CompactCodingError) {
            return try accounts(in: bytes)
        } catch {
            throw .damaged("ledger")
        }
    }

    private static func accounts(in bytes: [UInt8]) throws(CompactCodingError) -> [Account] {
        var reader = CompactReader(bytes)
        let version = try reader.byte()
        guard version == 1 || version == format else { throw .malformed }
        let count = try reader.count()
        var accounts: [Account] = []
        accounts.reserveCapacity(count)
        for _ in 0..<count {
            guard let practice = ODSCode(try reader.text()) else { throw .malformed }
            let entryCount = try reader.count()
            var entries: [Entry] = []
            entries.reserveCapacity(entryCount)
            for _ in 0..<entryCount {
                guard let paycode = Paycode(rawValue: try reader.byte()),
                    let month = YearMonth(index: try reader.signed())
                else { throw .malformed }
                let pence = try reader.signed()
                let source: LineSource
                if version == 1 {
                    source = paycode == .balanceForward ? .balance : .contract
                } else {
                    guard let known = LineSource(rawValue: try reader.byte()) else { throw .malformed }
                    source = known
                }
                entries.append(Entry(paycode: paycode, month: month, pence: pence, source: source))
            }
            accounts.append(Account(practice: practice, entries: entries))
        }
        return accounts
    }
}

extension YearMonth {
    /// The month with this `index`, if there is one.
    init?(index: Int64) {
        guard (12..<120_000).contains(index) else { return nil }
        self.init(year: Int(index / 12), month: Int(index % 12) + 1)
    }
}
