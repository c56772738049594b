import PluginAPI

/// Who submits and from which account the money comes: settings of the installation, as reference data.
struct BacsOriginator: Hashable, Sendable {
    /// Service user number, six digits.
    var serviceUserNumber: String
    var account: BankAccount
    /// To 18 characters.
    var name: String
}

/// One credit.
struct BacsCredit: Hashable, Sendable {
    var account: BankAccount
    var payeeName: String
    /// `ODS + space + YYMM + '-' + n` (payments.md 12.7).
    var reference: String
    /// 1 to 99,999,999,999.
    var pence: Int64
}

/// A file in Bacs Standard 18: one processing day, groups of credits, each with a contra (payments.md 12.7). Pure: the
/// same input gives the same bytes.
struct BacsFile: Hashable, Sendable {
    enum Fault: Error, Hashable, Sendable {
        case serviceUserNumber
        case serial
        case empty
        case amountOutOfRange(reference: String)
        case referenceTooWeak(String)
        case totalOutOfRange
    }

    /// What a field of an amount holds, and so one contra.
    static let largestPence: Int64 = 99_999_999_999
    /// What the totals of the trailer hold.
    static let largestTotalPence: Int64 = 9_999_999_999_999

    /// Credits one after the other, as many as one contra can carry.
    struct Group: Hashable, Sendable {
        var credits: [BacsCredit] = []
        var pence: Int64 = 0
    }

    let originator: BacsOriginator
    /// Six characters, unique a day.
    let serial: String
    let createdOn: CalendarDate
    /// The working day before the payment date.
    let processingDay: CalendarDate
    /// Stands on the contra: "JUN26 GP RUN".
    let narrative: String
    let groups: [Group]
    let totalPence: Int64

    var credits: [BacsCredit] { groups.flatMap(\.credits) }

    init(
        originator: BacsOriginator, serial: String, createdOn: CalendarDate, processingDay: CalendarDate,
        narrative: String, credits: [BacsCredit]
    ) throws(Fault) {
        guard originator.serviceUserNumber.utf8.count == 6,
            originator.serviceUserNumber.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { throw .serviceUserNumber }
        guard (1...6).contains(serial.utf8.count), serial.utf8.allSatisfy({ BacsText.isLetterOrDigit($0) }) else {
            throw .serial
        }
        // An amount of nothing is not written.
        let written = credits.filter { $0.pence != 0 }
        guard !written.isEmpty else { throw .empty }
        var total: Int64 = 0
        var groups = [Group()]
        for credit in written {
            guard (1...BacsFile.largestPence).contains(credit.pence) else {
                throw .amountOutOfRange(reference: credit.reference)
            }
            let letters = BacsText.field(credit.reference, 18).filter { $0 != " " }
            guard letters.count >= 6, Set(letters).count > 1 else { throw .referenceTooWeak(credit.reference) }
            total += credit.pence
            guard total <= BacsFile.largestTotalPence else { throw .totalOutOfRange }
            if groups[groups.count - 1].pence + credit.pence > BacsFile.largestPence { groups.append(Group()) }
            groups[groups.count - 1].credits.append(credit)
            groups[groups.count - 1].pence += credit.pence
        }
        self.originator = originator
        self.serial = serial
        self.createdOn = createdOn
        self.processingDay = processingDay
        self.narrative = narrative
        self.groups = groups
        totalPence = total
    }

    /// Lines of the file, each ended by CR LF.
    func encode() -> [UInt8] {
        var lines = [volume, header("HDR1"), header2("HDR2"), userHeader]
        for group in groups {
            lines += group.credits.map(detail)
            lines.append(contra(group.pence))
        }
        lines += [header("EOF1"), header2("EOF2"), userTrailer]
        return lines.flatMap { Array($0.utf8) + [0x0D, 0x0A] }
    }

    private var sun: String { originator.serviceUserNumber }
    private var serialField: String { BacsText.field(serial, 6) }

    private var volume: String {
        "VOL1" + serialField + " " + BacsText.blank(26) + BacsText.blank(3) + " " + sun + BacsText.blank(4)
            + BacsText.blank(28) + "1"
    }

    private func header(_ label: String) -> String {
        label + "A" + sun + "S  1" + sun + serialField + "0001" + "0001" + BacsText.blank(6)
            + BacsText.julian(createdOn) + BacsText.julian(processingDay) + " " + "000000"
            + BacsText.blank(20)
    }

    private func header2(_ label: String) -> String {
        label + "F" + "02000" + "00100" + BacsText.blank(35) + "00" + BacsText.blank(28)
    }

    private var userHeader: String {
        "UHL1" + BacsText.julian(processingDay) + "999999    " + "00" + "000000" + "1 DAILY  " + "001"
            + BacsText.blank(7) + BacsText.blank(33)
    }

    private func detail(_ credit: BacsCredit) -> String {
        credit.account.sortCode + credit.account.accountNumber + "0" + "99" + originator.account.sortCode
            + originator.account.accountNumber + BacsText.blank(4) + BacsText.number(credit.pence, 11)
            + BacsText.field(originator.name, 18) + BacsText.field(credit.reference, 18)
            + BacsText.field(credit.payeeName, 18)
    }

    private func contra(_ pence: Int64) -> String {
        originator.account.sortCode + originator.account.accountNumber + "0" + "17" + originator.account.sortCode
            + originator.account.accountNumber + BacsText.blank(4) + BacsText.number(pence, 11)
            + BacsText.field(narrative, 18) + BacsText.field("CONTRA", 18)
            + BacsText.field(originator.name, 18)
    }

    private var userTrailer: String {
        "UTL1" + BacsText.number(totalPence, 13) + BacsText.number(totalPence, 13)
            + BacsText.number(Int64(groups.count), 7)
            + BacsText.number(groups.reduce(0) { $0 + Int64($1.credits.count) }, 7) + BacsText.blank(36)
    }
}

/// Characters and fields of the format.
enum BacsText {
    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
    }

    /// Upper case; what the format does not know becomes a space; cut or filled to the width.
    static func field(_ text: String, _ width: Int) -> String {
        let allowed = Set(" .&/-".utf8)
        var bytes = text.uppercased().unicodeScalars.map { scalar -> UInt8 in
            guard scalar.isASCII else { return 0x20 }
            let byte = UInt8(scalar.value)
            return isLetterOrDigit(byte) || allowed.contains(byte) ? byte : 0x20
        }
        bytes = Array(bytes.prefix(width))
        bytes += [UInt8](repeating: 0x20, count: width - bytes.count)
        return String(decoding: bytes, as: UTF8.self)
    }

    static func blank(_ width: Int) -> String { String(repeating: " ", count: width) }

    static func number(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// A space, the year in two digits and the day of the year in three.
    static func julian(_ day: CalendarDate) -> String {
        let first = CalendarDate(year: day.year, month: 1, day: 1) ?? day
        return " " + number(Int64(day.year % 100), 2) + number(Int64(day.daysSince1970 - first.daysSince1970) + 1, 3)
    }
}
