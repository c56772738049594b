import PluginAPI

// PCNs, their members, commissioners, and the levels above them.
extension RowParser {
    mutating func parsePCNs(publishedOn: CalendarDate) {
        let isReport = document.columns == SnapshotLayout.pcnReportColumns
        for row in 0..<document.rowCount {
            guard let code = code(row, 1, "pcn_code", .pcn), claim(code.value, row, 1, "pcn_code") else {
                continue
            }
            let name = required(row, 2, "pcn_name")
            let opened = compactDay(row, 5, "open_date")
            let closed = compactDay(row, 6, "close_date")
            requireOrder(row, 6, "close_date", start: opened, end: closed)
            result.commissioners[code] = .some(
                optionalCode(row, 3, "sub_icb_code").map {
                    StatedLink(child: code, parent: $0, from: nil, to: nil, line: document.line(row))
                })
            // The report has no status column: a closing day is what says that a PCN closes.
            let isClosed = closed.map { $0 < publishedOn } ?? false
            keep(
                StatedOrganisation(
                    code: code, kind: .pcn, name: name, status: isClosed ? .inactive : .active,
                    openedOn: opened, closedOn: closed,
                    postcode: text(row, isReport ? 12 : 7), town: text(row, isReport ? 10 : 8)), row)
            if isReport { result.addresses[code] = address(row, lines: 7...11, postcode: 12) }
        }
    }

    mutating func parseMembers() {
        for row in 0..<document.rowCount {
            guard let practice = code(row, 1, "partner code", .practice),
                let pcn = code(row, 5, "PCN code", .pcn)
            else {
                continue
            }
            let practiceCommissioner = optionalCode(row, 3, "partner Sub ICB Location")
            let pcnCommissioner = optionalCode(row, 7, "PCN Sub ICB Location")
            let from = compactDay(row, 9, "relationship start")
            let to = compactDay(row, 10, "relationship end")
            requireOrder(row, 10, "relationship end", start: from, end: to)
            switch text(row, 11) {
            case "TRUE", "FALSE":
                if (practiceCommissioner == pcnCommissioner) != (text(row, 11) == "TRUE") {
                    add(.vocabulary, row, 11, "match", "\(text(row, 11)) contradicts columns 3 and 7")
                }
            default:
                add(.vocabulary, row, 11, "match", "'\(text(row, 11).prefix(20))' is neither TRUE nor FALSE")
            }
            guard let from else {
                if document.isEmpty(row, 8) {
                    add(.required, row, 9, "relationship start", "a start is required")
                }
                continue
            }
            guard claim("\(practice) in \(pcn) from \(from)", row, 1, "membership") else { continue }
            result.memberships.append(
                StatedLink(child: practice, parent: pcn, from: from, to: to, line: document.line(row)))
        }
    }

    /// Nominated payees (RE9), turned round: which payee a PCN has. One at a time.
    mutating func parsePayees() {
        var periods: [ODSCode: [(from: CalendarDate, to: CalendarDate)]] = [:]
        for row in 0..<document.rowCount {
            guard let pcn = code(row, 1, "pcn_code", .pcn), let payee = code(row, 2, "payee_code") else {
                continue
            }
            let from = compactDay(row, 3, "start_date")
            let to = compactDay(row, 4, "end_date")
            requireOrder(row, 4, "end_date", start: from, end: to)
            guard let from else {
                if document.isEmpty(row, 2) { add(.required, row, 3, "start_date", "a start is required") }
                continue
            }
            guard claim("\(payee) for \(pcn) from \(from)", row, 1, "payee") else { continue }
            let end = to ?? .unboundedEnd
            if let other = periods[pcn]?.first(where: { $0.from <= end && from <= $0.to }) {
                add(
                    .unique, row, 3, "start_date",
                    "\(pcn) has another payee from \(other.from): one at a time")
            }
            periods[pcn, default: []].append((from, end))
            result.memberships.append(
                StatedLink(child: pcn, parent: payee, from: from, to: to, line: document.line(row)))
        }
    }

    /// The report succ: codes, and a legal day when the file has one.
    mutating func parseSuccessions() {
        for row in 0..<document.rowCount {
            guard let old = code(row, 1, "predecessor"), let new = code(row, 2, "successor") else { continue }
            guard old != new else {
                add(.vocabulary, row, 2, "successor", "\(old) cannot succeed itself")
                continue
            }
            let succession = StatedSuccession(predecessor: old, successor: new)
            result.successions.insert(succession)
            if document.columns >= 4, let day = compactDay(row, 4, "effective date") {
                result.successionDays[succession] = day
            }
        }
    }

    /// Kinds by role (2.3): RO318 = ICB, RO319 = Sub ICB Location, everything else under RO98 and RO261 is a former or
    /// special commissioner that commissions no practice.
    mutating func parseCommissioners() {
        for row in 0..<document.rowCount {
            guard let code = code(row, 1, "code"), claim(code.value, row, 1, "code") else { continue }
            let name = required(row, 2, "name")
            guard let status = status(row, 3) else { continue }
            let primary = text(row, 4)
            if primary != "RO98", primary != "RO261" {
                add(.vocabulary, row, 4, "primary_role", "'\(primary.prefix(20))' is neither RO98 nor RO261")
            }
            let roles = text(row, 5).split(separator: "|")
            let kind: OrganisationKind =
                roles.contains("RO318")
                ? .icb : roles.contains("RO319") ? .subICBLocation : .formerCommissioner
            let opened = isoDay(row, 6, "operational_start")
            _ = isoDay(row, 7, "legal_start")
            _ = isoDay(row, 8, "last_change")
            for predecessor in codes(row, 16, "predecessor_codes") {
                result.successions.insert(StatedSuccession(predecessor: predecessor, successor: code))
            }
            for successor in codes(row, 17, "successor_code") {
                result.successions.insert(StatedSuccession(predecessor: code, successor: successor))
            }
            // An ICB's region is in the hierarchy file: an empty parent here does not take it away.
            if let parent = optionalCode(row, 18, "parent_code") {
                result.commissioners[code] = .some(
                    StatedLink(child: code, parent: parent, from: nil, to: nil, line: document.line(row)))
            }
            result.addresses[code] = address(row, lines: 9...13, postcode: 14)
            keep(
                StatedOrganisation(
                    code: code, kind: kind, name: name, status: status, openedOn: opened, closedOn: nil,
                    postcode: text(row, 14), town: text(row, 12)), row)
        }
    }

    mutating func parseHierarchy() {
        var regionNames: [ODSCode: String] = [:]
        var regionOfICB: [ODSCode: ODSCode] = [:]
        for row in 0..<document.rowCount {
            let regionName = required(row, 2, "region_name")
            guard let region = code(row, 1, "region_code", .region), let icb = code(row, 3, "icb_code", .icb),
                let location = code(row, 5, "sub_icb_code"), claim(location.value, row, 5, "sub_icb_code")
            else { continue }
            let line = document.line(row)
            if let known = regionNames.updateValue(regionName, forKey: region), known != regionName {
                add(.unique, row, 2, "region_name", "\(region) is also named '\(known)'")
            }
            if let known = regionOfICB.updateValue(region, forKey: icb), known != region {
                add(.unique, row, 1, "region_code", "\(icb) is also in \(known)")
            }
            let link = StatedLink(child: location, parent: icb, from: nil, to: nil, line: line)
            result.commissioners[location] = .some(link)
            result.memberships.append(link)
            if result.commissioners[icb] == nil {
                result.commissioners[icb] = .some(
                    StatedLink(child: icb, parent: region, from: nil, to: nil, line: line))
                if !result.organisations.contains(where: { $0.code == region }) {
                    keep(
                        StatedOrganisation(
                            code: region, kind: .region, name: regionName, status: .active, openedOn: nil,
                            closedOn: nil),
                        row)
                }
            }
        }
    }
}
