/// What looks like identifiers of patients in text (cqrs.md LOC-6): ten digits that pass the check of an NHS number, and
/// in tables a column of birth dates beside one of names.
package enum PatientIdentifiers {
    /// Ten digits: weights 10 to 2, remainder modulo 11; a check digit of 10 does not exist.
    package static func isNHSNumber(_ digits: some Collection<UInt8>) -> Bool {
        guard digits.count == 10 else { return false }
        var sum = 0
        for (index, digit) in digits.enumerated() where index < 9 { sum += Int(digit) * (10 - index) }
        let check = (11 - sum % 11) % 11
        guard check != 10, let last = digits.suffix(1).first else { return false }
        // Ten equal digits pass the sum and are nobody's number.
        return Int(last) == check && Set(digits).count > 1
    }

    /// How many there are: 3, space or hyphen, 3, the same, 4; or ten digits in a row.
    package static func count(in bytes: [UInt8]) -> Int {
        numbers(in: bytes) + birthDates(in: bytes)
    }

    private static func numbers(in bytes: [UInt8]) -> Int {
        var found = 0
        var digits: [UInt8] = []
        var separators: [Int: UInt8] = [:]
        func finish() {
            let grouped =
                separators.isEmpty
                || (separators.keys.sorted() == [3, 6] && Set(separators.values).count == 1)
            if digits.count == 10, grouped, isNHSNumber(digits) { found += 1 }
        }
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if (0x30...0x39).contains(byte) {
                if digits.count <= 10 { digits.append(byte - 0x30) }
            } else if byte == 0x20 || byte == 0x2D, digits.count == 3 || digits.count == 6,
                separators[digits.count] == nil, index + 1 < bytes.count,
                (0x30...0x39).contains(bytes[index + 1])
            {
                separators[digits.count] = byte
            } else if !digits.isEmpty {
                finish()
                digits.removeAll(keepingCapacity: true)
                separators.removeAll(keepingCapacity: true)
            }
            index += 1
        }
        finish()
        return found
    }

    /// Rows with a day in a column of birth dates, when the table has a column of names too.
    private static func birthDates(in bytes: [UInt8]) -> Int {
        let lines = bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D })
        guard let header = lines.first else { return 0 }
        let columns = header.split(separator: 0x2C, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self).lowercased().filter(\.isLetter)
        }
        let birth = columns.firstIndex { $0 == "dob" || $0.contains("birth") }
        guard let birth, columns.contains(where: { $0.contains("name") && !$0.contains("practice") }) else {
            return 0
        }
        return lines.dropFirst().count { line in
            let cells = line.split(separator: 0x2C, omittingEmptySubsequences: false)
            guard birth < cells.count else { return false }
            let digits = cells[birth].count { (0x30...0x39).contains($0) }
            return (6...8).contains(digits)
        }
    }
}
