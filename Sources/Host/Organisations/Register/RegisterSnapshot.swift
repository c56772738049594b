import PluginAPI

/// The whole register as known now, immutable: arrays in order of code, links as indexes. Made once after each load,
/// exchanged as a whole, read without waiting.
final class RegisterSnapshot: OrganisationHierarchy, Sendable {
    typealias Place = Int32
    typealias Fault = Never

    /// A link seen from one end; `place` is the other.
    struct Link: Sendable {
        var place: Int32
        var from: CalendarDate
        var to: CalendarDate
        func holds(on day: CalendarDate) -> Bool { from <= day && day <= to }
    }

    /// Lists of items, one list a place, in one array.
    struct Lists<Item: Sendable>: Sendable {
        private var starts: [Int32] = []
        private var items: [Item] = []

        init(_ lists: [[Item]]) {
            starts.reserveCapacity(lists.count + 1)
            items.reserveCapacity(lists.reduce(0) { $0 + $1.count })
            for list in lists {
                starts.append(Int32(items.count))
                items += list
            }
            starts.append(Int32(items.count))
        }

        subscript(place: Int32) -> ArraySlice<Item> {
            items[Int(starts[Int(place)])..<Int(starts[Int(place) + 1])]
        }
    }

    let codes: [ODSCode]
    private let index: [PackedCode: Int32]
    let slices: Lists<OrganisationSlice>
    /// Upwards, oldest first.
    let commissioners: Lists<Link>
    /// Upwards; the latest start first, then the latest end: the first that holds on a day is the practice's PCN.
    let memberships: Lists<Link>
    let commissioned: Lists<Link>
    let members: Lists<Link>
    /// Upwards (RE6), oldest first.
    let operators: Lists<Link>
    let operated: Lists<Link>
    /// Of a PCN (RE9), oldest first.
    let payees: Lists<Link>
    private let successorLists: [Int32: [Int32]]
    private let predecessorLists: [Int32: [Int32]]

    init(_ rows: RegisterRows) {
        let codes = rows.codes.sorted()
        var index: [PackedCode: Int32] = Dictionary(minimumCapacity: codes.count)
        for (place, code) in codes.enumerated() { index[PackedCode(code)] = Int32(place) }
        self.codes = codes
        self.index = index
        slices = Lists(codes.map { rows.slices[$0] ?? [] })
        commissioners = Lists(codes.map { RegisterSnapshot.links(rows.commissioners[$0] ?? [], index) })
        memberships = Lists(
            codes.map { code in
                RegisterSnapshot.links(rows.memberships[code] ?? [], index).sorted {
                    ($0.from, $0.to) > ($1.from, $1.to)
                }
            })
        commissioned = Lists(RegisterSnapshot.reversed(rows.commissioners, index))
        members = Lists(RegisterSnapshot.reversed(rows.memberships, index))
        operators = Lists(codes.map { RegisterSnapshot.links(rows.operators[$0] ?? [], index) })
        operated = Lists(RegisterSnapshot.reversed(rows.operators, index))
        payees = Lists(codes.map { RegisterSnapshot.links(rows.payees[$0] ?? [], index) })
        var successors: [Int32: [Int32]] = [:]
        var predecessors: [Int32: [Int32]] = [:]
        for succession in rows.successions {
            guard let old = index[PackedCode(succession.predecessor)],
                let new = index[PackedCode(succession.successor)]
            else { continue }
            successors[old, default: []].append(new)
            predecessors[new, default: []].append(old)
        }
        successorLists = successors.mapValues { $0.sorted() }
        predecessorLists = predecessors.mapValues { $0.sorted() }
    }

    private static func links(_ slices: [LinkSlice], _ index: [PackedCode: Int32]) -> [Link] {
        slices.compactMap { slice in
            index[PackedCode(slice.parent)].map { Link(place: $0, from: slice.from, to: slice.to) }
        }
    }

    private static func reversed(_ links: [ODSCode: [LinkSlice]], _ index: [PackedCode: Int32]) -> [[Link]] {
        var result = [[Link]](repeating: [], count: index.count)
        for (child, slices) in links {
            guard let place = index[PackedCode(child)] else { continue }
            for slice in slices {
                guard let parent = index[PackedCode(slice.parent)] else { continue }
                result[Int(parent)].append(Link(place: place, from: slice.from, to: slice.to))
            }
        }
        // Places are in order of code, so this is too.
        for parent in result.indices { result[parent].sort { ($0.place, $0.from) < ($1.place, $1.from) } }
        return result
    }

    func place(of code: ODSCode) -> Int32? { index[PackedCode(code)] }

    func slice(of place: Int32, at day: CalendarDate) -> OrganisationSlice? {
        slices[place].last { $0.from <= day && day <= $0.to }
    }

    /// Open on the day, and known to the register.
    func isOpen(_ place: Int32, at day: CalendarDate) -> Bool {
        slices[place].contains { $0.from <= day && day <= $0.to && $0.status != .inactive }
    }

    // MARK: OrganisationHierarchy

    func kind(of place: Int32) -> OrganisationKind? { slices[place].last?.kind }

    func superior(of place: Int32, at day: CalendarDate) -> Int32? {
        commissioners[place].last { $0.holds(on: day) }?.place
    }

    func successors(of place: Int32) -> [Int32] { successorLists[place] ?? [] }
    func predecessors(of place: Int32) -> [Int32] { predecessorLists[place] ?? [] }

    func operatingOrganisation(of place: Int32, at day: CalendarDate) -> Int32? {
        operators[place].last { $0.holds(on: day) }?.place
    }

    func payee(of place: Int32, at day: CalendarDate) -> Int32? {
        payees[place].last { $0.holds(on: day) }?.place
    }

    func pcn(of place: Int32, at day: CalendarDate) -> Int32? {
        memberships[place].first { $0.holds(on: day) }?.place
    }
}

/// The register's rows as known now, before they are packed.
struct RegisterRows {
    var slices: [ODSCode: [OrganisationSlice]] = [:]
    var commissioners: [ODSCode: [LinkSlice]] = [:]
    var memberships: [ODSCode: [LinkSlice]] = [:]
    var operators: [ODSCode: [LinkSlice]] = [:]
    var payees: [ODSCode: [LinkSlice]] = [:]
    var successions: [StatedSuccession] = []

    init() {}

    init(_ reader: any Reader) throws {
        try reader.forEach(OrganisationTables.slices, []) { row in
            guard let code = ODSCode(row.text(0)) else { return }
            slices[code, default: []].append(try OrganisationSlice(row: row))
        }
        try reader.forEach(OrganisationTables.links, []) { row in
            guard let child = ODSCode(row.text(0)), let parent = ODSCode(row.text(2)) else { return }
            let slice = LinkSlice(parent: parent, from: try row.date(3), to: try row.date(4))
            switch LinkRelation(rawValue: row.text(1)) {
            case .pcn: memberships[child, default: []].append(slice)
            case .commissioner: commissioners[child, default: []].append(slice)
            case .operatedBy: operators[child, default: []].append(slice)
            case .payee: payees[child, default: []].append(slice)
            case .hierarchy, .none: break
            }
        }
        successions = try reader.all(OrganisationTables.successions, []) { row in (row.text(0), row.text(1)) }
            .compactMap { old, new in
                guard let predecessor = ODSCode(old), let successor = ODSCode(new) else { return nil }
                return StatedSuccession(predecessor: predecessor, successor: successor)
            }
    }

    /// Every code that has a place: also those only named by others, whose own record is pending.
    var codes: Set<ODSCode> {
        var codes = Set(slices.keys)
        for relation in [commissioners, memberships, operators, payees] {
            for (child, links) in relation {
                codes.insert(child)
                for link in links { codes.insert(link.parent) }
            }
        }
        for succession in successions {
            codes.insert(succession.predecessor)
            codes.insert(succession.successor)
        }
        return codes
    }
}
