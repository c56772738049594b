package import HostContract

/// Letters with registration codes as files: written as they come, read again by who has one.
package enum LetterFiles {
    /// Writes each letter, mode 0600, and shows which there are. The codes are shown nowhere.
    package static func write(
        _ letters: AsyncThrowingStream<Pcs_Host_V1_RegistrationLetter, any Error>, to folder: String,
        _ session: Session
    ) async throws {
        var table = Table([
            .left("organisation"), .left("letter"), .left("valid to"), .left("not issued because"),
        ])
        for try await letter in letters {
            let file = "\(folder)/\(letter.fileName)"
            let isWritten = !letter.text.isEmpty && isPlainName(letter.fileName)
            if isWritten { try PrivateFile.write(letter.text, to: file) }
            var shown = letter
            shown.text = ""
            if session.settings.output == .json {
                Console.out(try ContractJSON.json(shown).compact)
            } else {
                table.add(
                    Table.Cell(letter.organisationCode, style: .bold), Table.Cell(isWritten ? file : ""),
                    Table.Cell(Wording.day(letter.expiresOn)),
                    Table.Cell(letter.notIssuedBecause, style: .warning))
            }
        }
        if session.settings.output == .table {
            Console.out(table.isEmpty ? "all have their letters" : table.rendered(for: session.terminal))
        }
    }

    /// A name from the host is a file in the folder and nowhere else.
    private static func isPlainName(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".") && !name.contains("/")
    }

    /// The code of a letter, or of a file that holds the code alone, or asked for.
    package static func code(_ file: String?) throws -> String {
        guard let file else { return try SecretInput.read("registration code") }
        let lines = try PrivateFile.read(file).split(separator: "\n").map { line in
            line.filter { $0 != " " }
        }
        guard let code = lines.first(where: isCode) else {
            throw CommandError(.data, "\(file) holds no registration code")
        }
        return code
    }

    /// 13 capital letters and digits in groups of four, as letters write it.
    private static func isCode(_ line: String) -> Bool {
        let groups = line.split(separator: "-", omittingEmptySubsequences: false)
        return groups.map(\.count) == [4, 4, 4, 1]
            && groups.joined().utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) }
    }
}

/// People as named on the command line: `Name <address>`.
package enum PersonReference {
    package static func person(_ text: String) throws -> Pcs_Host_V1_NamedPerson {
        guard text.hasSuffix(">"), let open = text.lastIndex(of: "<"), open > text.startIndex else {
            throw CommandError(.usage, "\"\(text)\" is not 'Name <address>'")
        }
        var name = text[..<open]
        while name.last == " " { name = name.dropLast() }
        var person = Pcs_Host_V1_NamedPerson()
        person.name = String(name)
        person.email = String(text[text.index(after: open)...].dropLast())
        guard !person.name.isEmpty, person.email.contains("@") else {
            throw CommandError(.usage, "\"\(text)\" is not 'Name <address>'")
        }
        return person
    }
}
