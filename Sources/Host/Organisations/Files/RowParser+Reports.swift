import PluginAPI

// The standard 27-column ODS reports: epraccur, edispensary, ebranchs and their like.
extension RowParser {
    mutating func parsePractices() {
        for row in 0..<document.rowCount {
            guard let code = code(row, 1, "organisation code", .practice),
                claim(code.value, row, 1, "organisation code")
            else { continue }
            let joined = compactDay(row, 16, "join date")
            let left = compactDay(row, 17, "left date")
            requireOrder(row, 17, "left date", start: joined, end: left)
            result.commissioners[code] = .some(
                optionalCode(row, 15, "commissioner").map {
                    StatedLink(child: code, parent: $0, from: joined, to: left, line: document.line(row))
                })
            let kind = prescribingKind(row)
            guard let organisation = reportOrganisation(row, code, kind: kind) else { continue }
            if organisation.status == .inactive, organisation.closedOn == nil {
                add(.closingDay, row, 12, "close date", "an inactive organisation needs a closing day")
            }
            keep(organisation, row)
        }
    }

    /// RO76 makes an RO177 a practice (2.3); old files have the number 4. Everything else prescribes and is no practice.
    private mutating func prescribingKind(_ row: Int) -> OrganisationKind {
        guard !document.isEmpty(row, 25) else { return .otherPrescribingSetting }
        let settings = text(row, 26).split(separator: "|", omittingEmptySubsequences: false)
        for setting in settings {
            let digits = setting.hasPrefix("RO") ? setting.dropFirst(2) : setting
            guard (1...4).contains(digits.count), digits.allSatisfy({ $0.isASCII && $0.isNumber }) else {
                add(.vocabulary, row, 26, "prescribing setting", "'\(setting.prefix(20))' is not a role code")
                continue
            }
        }
        return settings.contains("RO76") || settings == ["4"] ? .practice : .otherPrescribingSetting
    }

    mutating func parsePharmacies() {
        for row in 0..<document.rowCount {
            guard let code = code(row, 1, "organisation code", .pharmacy),
                claim(code.value, row, 1, "organisation code")
            else { continue }
            // Column 15 is the headquarters that operates it, column 24 the ICB in whose care it is: RE4.
            result.commissioners[code] = .some(
                optionalCode(row, 24, "current care organisation").map {
                    StatedLink(child: code, parent: $0, from: nil, to: nil, line: document.line(row))
                })
            stateOperator(of: code, row)
            guard let organisation = reportOrganisation(row, code, kind: .pharmacy) else { continue }
            keep(organisation, row)
        }
    }

    /// What column 15 of a report says.
    enum ReportParent { case none, commissioner, operatedBy }

    /// A standard 27-column report in which all rows are of one kind.
    mutating func parseReport(_ kind: OrganisationKind, form: CodeForm = .any, parent: ReportParent) {
        for row in 0..<document.rowCount {
            guard let code = code(row, 1, "organisation code", form),
                claim(code.value, row, 1, "organisation code")
            else { continue }
            switch parent {
            case .none: break
            case .commissioner:
                result.commissioners[code] = .some(
                    optionalCode(row, 15, "commissioner").map {
                        StatedLink(child: code, parent: $0, from: nil, to: nil, line: document.line(row))
                    })
            case .operatedBy: stateOperator(of: code, row)
            }
            if kind == .branchSurgery, let main = result.operators[code]??.parent,
                !code.value.hasPrefix(main.value)
            {
                add(
                    .codeForm, row, 15, "parent",
                    "\(code) is no branch of \(main): their codes begin differently")
            }
            guard let organisation = reportOrganisation(row, code, kind: kind) else { continue }
            keep(organisation, row)
        }
    }

    /// Column 15 with its days in 16 and 17: who operates it (RE6).
    private mutating func stateOperator(of code: ODSCode, _ row: Int) {
        let from = compactDay(row, 16, "join date")
        let to = compactDay(row, 17, "left date")
        requireOrder(row, 17, "left date", start: from, end: to)
        result.operators[code] = .some(
            optionalCode(row, 15, "parent").map {
                StatedLink(child: code, parent: $0, from: from, to: to, line: document.line(row))
            })
    }

    private mutating func reportOrganisation(_ row: Int, _ code: ODSCode, kind: OrganisationKind)
        -> StatedOrganisation?
    {
        let name = required(row, 2, "name")
        let opened = compactDay(row, 11, "open date")
        let closed = compactDay(row, 12, "close date")
        requireOrder(row, 12, "close date", start: opened, end: closed)
        guard let status = status(row, 13) else { return nil }
        // The town is column 8 since 2023 and 7 in older reports.
        let town = document.isEmpty(row, 7) || kind == .pharmacy ? text(row, 7) : text(row, 8)
        result.addresses[code] = address(row, lines: 5...9, postcode: 10)
        return StatedOrganisation(
            code: code, kind: kind, name: name, status: status, openedOn: opened, closedOn: closed,
            postcode: text(row, 10), town: town)
    }
}
