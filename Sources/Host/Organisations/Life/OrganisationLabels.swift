import HostContract
import PluginAPI
import Tabular

/// What kinds of organisation are called, by day: a record keeps its code and history when its kind is named anew, as
/// in July 2022, when CCGs became Sub ICB Locations and STPs became ICBs (cqrs.md ORG-6). For display only.
struct OrganisationLabels: Sendable {
    private struct Label: Sendable {
        let text: String
        let from: CalendarDate
    }

    private let labels: [OrganisationKind: [Label]]

    static let shared: OrganisationLabels = {
        do {
            return try OrganisationLabels(csv: PackageResources.organisation_labels_csv)
        } catch {
            // Tests read the shipped file; a program that got past them has it whole.
            preconditionFailure("the shipped labels do not read: \(error)")
        }
    }()

    private static let columns = ["kind", "label", "valid_from", "source"]

    /// - Throws: `FILE_INVALID` with every row that is wrong, and each kind that has no label.
    init(csv: [UInt8]) throws {
        var violations = ViolationList()
        let table = Table.read(
            csv: csv, layout: TableLayout(.exact(Self.columns), origin: .person), into: &violations)
        var reader = RowReader(table, violations: violations)
        var labels: [OrganisationKind: [Label]] = [:]
        while reader.next() {
            guard let kind = Int(reader.cell("kind")).flatMap({ OrganisationKind(rawValue: $0) }) else {
                reader.refuse("kind", "LAB01", "there is no kind \(reader.shown("kind"))")
                continue
            }
            let day = reader.cell("valid_from")
            guard let from = day.isEmpty ? .unboundedStart : CalendarDate(iso8601: day) else {
                reader.refuse("valid_from", "LAB02", "a day is written YYYY-MM-DD")
                continue
            }
            labels[kind, default: []].append(Label(text: reader.cell("label"), from: from))
        }
        for kind in OrganisationKind.allCases where labels[kind] == nil && reader.violations.isEmpty {
            reader.refuse("kind", "LAB03", line: 0, "kind \(kind.rawValue) has no label")
        }
        guard reader.violations.isEmpty else { throw reader.violations.failure(HostReasons.fileInvalid) }
        self.labels = labels.mapValues { $0.sorted { $0.from < $1.from } }
    }

    /// The label on a day; before the first one, that one.
    func label(of kind: OrganisationKind, at day: CalendarDate) -> String {
        let own = labels[kind] ?? []
        return (own.last { $0.from <= day } ?? own.first)?.text ?? ""
    }
}
