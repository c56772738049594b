import Foundation
import HostContract

/// The register of organisations that the payments of a country need: England's open practices, networks and
/// pharmacies as the committed files state them, ophthalmic contractors made for it (no open file lists them), and on
/// demand copies of all of these under codes of the same forms.
struct BenchRegister: Sendable {
    struct Practice: Sendable {
        let code: String
        let commissioner: String
        let region: String
        /// Code of its network; empty = none.
        let network: String
    }
    struct Organisation: Sendable {
        let code: String
        /// Sub ICB Location of a network or contractor, ICB of a pharmacy.
        let commissioner: String
    }
    struct File: Sendable {
        let kind: Pcs_Host_V1_SnapshotKind
        let name: String
        let published: (year: Int, month: Int, day: Int)
        let bytes: [UInt8]
    }

    private(set) var practices: [Practice] = []
    private(set) var networks: [Organisation] = []
    private(set) var pharmacies: [Organisation] = []
    private(set) var contractors: [Organisation] = []
    private(set) var files: [File] = []
    /// Sub ICB Locations with the region of each.
    private(set) var regionOf: [String: String] = [:]
    var commissioners: [String] { regionOf.keys.sorted() }
    var boards: [String] { Set(pharmacies.map(\.commissioner)).sorted() }

    private static let spring = (year: 2026, month: 3, day: 2)
    private static let winter = (year: 2026, month: 1, day: 2)
    /// Ophthalmic contractors of England, about.
    private static let contractorsOnce = 6_000

    /// - Parameter practices: how many practices, when it is about these alone; `nil` = all kinds, `factor` times.
    init(on bench: Workbench, factor: Int = 1, practices wanted: Int? = nil) throws {
        func lines(_ name: String) throws -> [ArraySlice<UInt8>] {
            try Organisations.bytes(of: name, repository: bench.repository, folder: bench.folder)
                .split(separator: 0x0A).map { $0.last == 0x0D ? $0.dropLast() : $0 }
        }
        for name in ["commissioners", "hierarchy"] {
            let bytes = try Organisations.bytes(of: name, repository: bench.repository, folder: bench.folder)
            files.append(
                File(
                    kind: name == "hierarchy" ? .hierarchy : .commissioners, name: name,
                    published: name == "hierarchy" ? Self.spring : Self.winter, bytes: bytes))
        }
        for line in try lines("hierarchy").dropFirst() {
            let cells = CSVLine.texts(of: line)
            regionOf[cells[4]] = cells[0]
        }
        let open = try lines("epraccur-gp-england").map { ($0, CSVLine.texts(of: $0)) }
        let members = try Self.members(try lines("epcncorepartnerdetails"))
        try addPractices(open, members, factor: factor, wanted: wanted)
        guard wanted == nil else { return }
        try addNetworks(try lines("pcn"), factor: factor)
        try addPharmacies(try lines("edispensary-open-and-proposed"), factor: factor)
        addContractors(factor * Self.contractorsOnce)
    }

    /// Network of each practice that is a member today.
    private static func members(_ lines: [ArraySlice<UInt8>]) throws -> [String: String] {
        var found: [String: String] = [:]
        for line in lines {
            let cells = CSVLine.texts(of: line)
            if cells[9].isEmpty { found[cells[0]] = cells[4] }
        }
        return found
    }

    // MARK: Practices

    private mutating func addPractices(
        _ rows: [(line: ArraySlice<UInt8>, cells: [String])], _ members: [String: String], factor: Int,
        wanted: Int?
    ) throws {
        let open = rows.filter { row in
            // Open since before the years that the figures are about.
            row.cells[12] == "ACTIVE" && row.cells[11].isEmpty && row.cells[10] <= "20230401"
                && row.cells[25].contains("RO76")
                && regionOf[row.cells[14]] != nil
                && row.cells[0].utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
        }
        let count = wanted ?? open.count * factor
        var codes = PracticeCodes(used: Set(rows.map { $0.cells[0] }))
        var bytes: [UInt8] = []
        for number in 0..<count {
            let row = open[number % open.count]
            let copy = number / open.count
            let code = copy == 0 ? row.cells[0] : String(decoding: try codes.next(), as: UTF8.self)
            let network =
                wanted == nil ? members[row.cells[0]].map { Self.network($0, copy: copy) } ?? "" : ""
            practices.append(
                Practice(
                    code: code, commissioner: row.cells[14], region: regionOf[row.cells[14]] ?? "",
                    network: network))
            bytes += Self.renamed(row.line, code)
        }
        files.append(File(kind: .practices, name: "epraccur-bench", published: Self.spring, bytes: bytes))
    }

    /// The line under another code, which is its first field.
    private static func renamed(_ line: ArraySlice<UInt8>, _ code: String) -> [UInt8] {
        let fields = CSVLine.fields(of: line)
        return Array("\"\(code)\"".utf8) + line[fields[0].upperBound...] + [0x0A]
    }

    /// Copies of a network are counted on in the digits: real codes are spread too thinly to meet them all, and those
    /// that they do meet are skipped by `addNetworks`.
    private static func network(_ code: String, copy: Int) -> String {
        guard copy > 0, let number = Int(code.dropFirst()) else { return code }
        let digits = String((number + copy * 9_973) % 100_000)
        return "U" + String(repeating: "0", count: 5 - digits.utf8.count) + digits
    }

    // MARK: Networks

    private mutating func addNetworks(_ lines: [ArraySlice<UInt8>], factor: Int) throws {
        guard let header = lines.first else { throw BenchError("the file of networks is empty") }
        var bytes = Array(header) + [0x0A]
        var known: Set<String> = []
        for copy in 0..<factor {
            for line in lines.dropFirst() {
                let cells = CSVLine.texts(of: line)
                let code = Self.network(cells[0], copy: copy)
                guard cells[5].isEmpty, regionOf[cells[2]] != nil, known.insert(code).inserted else {
                    continue
                }
                networks.append(Organisation(code: code, commissioner: cells[2]))
                bytes += Array(code.utf8) + line[CSVLine.fields(of: line)[0].upperBound...] + [0x0A]
            }
        }
        files.append(File(kind: .pcns, name: "pcn", published: Self.winter, bytes: bytes))
        // A practice whose network has closed, or has lost its code to a copy, is a member of none.
        practices = practices.map { practice in
            known.contains(practice.network)
                ? practice
                : Practice(
                    code: practice.code, commissioner: practice.commissioner, region: practice.region,
                    network: "")
        }
        let leads = Dictionary(
            networks.map { ($0.code, $0.commissioner) }, uniquingKeysWith: { first, _ in first })
        var text = ""
        for practice in practices where !practice.network.isEmpty {
            let lead = leads[practice.network] ?? ""
            text +=
                "\"\(practice.code)\",\"PRACTICE\",\"\(practice.commissioner)\",\"\","
                + "\"\(practice.network)\",\"NETWORK\",\"\(lead)\",\"\",\"20191001\",\"\",\"\(lead == practice.commissioner ? "TRUE" : "FALSE")\"\n"
        }
        files.append(
            File(
                kind: .pcnMembers, name: "epcncorepartnerdetails", published: Self.spring,
                bytes: Array(text.utf8)))
    }

    // MARK: Pharmacies and contractors

    /// Codes of pharmacies have only 93,600 forms: beyond them a country has no more pharmacies.
    private mutating func addPharmacies(_ lines: [ArraySlice<UInt8>], factor: Int) throws {
        let rows = lines.map { ($0, CSVLine.texts(of: $0)) }.filter {
            $0.1.count == 27 && !$0.1[23].isEmpty && $0.1[11].isEmpty
        }
        var used = Set(rows.map { $0.1[0] })
        var bytes: [UInt8] = []
        for (line, cells) in rows {
            pharmacies.append(Organisation(code: cells[0], commissioner: cells[23]))
            bytes += line + [0x0A]
        }
        var wanted = rows.count * (factor - 1)
        let letters = (0x41...0x5A).map { UInt8($0) }
        outer: for second in letters {
            for third in letters + (0x30...0x39).map({ UInt8($0) }) {
                for number in 0..<100 {
                    guard wanted > 0 else { break outer }
                    let digits = [UInt8(0x30 + number / 10), UInt8(0x30 + number % 10)]
                    let code = String(decoding: [0x46, second, third] + digits, as: UTF8.self)
                    guard used.insert(code).inserted else { continue }
                    let row = rows[wanted % rows.count]
                    pharmacies.append(Organisation(code: code, commissioner: row.1[23]))
                    bytes += Self.renamed(row.0, code)
                    wanted -= 1
                }
            }
        }
        files.append(File(kind: .pharmacies, name: "edispensary-bench", published: Self.spring, bytes: bytes))
    }

    private mutating func addContractors(_ count: Int) {
        let locations = commissioners
        var text = ""
        for number in 0..<count {
            let digits = String(number)
            let code = "TP" + String(repeating: "0", count: 6 - digits.utf8.count) + digits
            contractors.append(Organisation(code: code, commissioner: locations[number % locations.count]))
            text += Self.contractorRow(code)
        }
        files.append(
            File(
                kind: .opticalHeadquarters, name: "eopticalhq", published: Self.spring,
                bytes: Array(text.utf8)))
    }

    /// 27 columns of a standard report: code, name, address, opened, status.
    private static func contractorRow(_ code: String) -> String {
        var cells = [String](repeating: "", count: 27)
        (cells[0], cells[1], cells[9], cells[10], cells[12]) = (
            code, "OPTICIAN \(code)", "TS18 1HU", "20100401", "A"
        )
        return cells.map { "\"\($0)\"" }.joined(separator: ",") + "\n"
    }

    /// Loads all files, in the order in which hardly any reference has to wait.
    func load(into host: HostUnderTest) async throws {
        let session = try await host.operatorSession()
        for file in files {
            let first = Pcs_Host_V1_LoadSnapshotRequest.with {
                $0.kind = file.kind
                $0.fileName = file.name + ".csv"
                $0.publishedOn.year = Int32(file.published.year)
                $0.publishedOn.month = Int32(file.published.month)
                $0.publishedOn.day = Int32(file.published.day)
            }
            let load = try await Pcs_Host_V1_OrganisationServiceClient(
                session.transport, options: session.slow
            )
            .loadSnapshot(Chunks.of(file.bytes, first: first) { $0.data = $1 })
            guard load.state == .applied else {
                throw BenchError("\(file.name) was not applied: \(load.heldBecause)")
            }
        }
        await session.close()
    }
}
