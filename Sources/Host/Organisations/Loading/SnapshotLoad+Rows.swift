import CommonContract
import HostContract
import PluginAPI

extension Pcs_Host_V1_SnapshotLoad {
    init(_ source: SnapshotSource, _ comparison: SnapshotComparison, rows: Int) {
        self.init()
        kind = Pcs_Host_V1_SnapshotKind(rawValue: source.layout.rawValue) ?? .unspecified
        fileName = source.fileName
        publishedOn = Pcs_Common_V1_Date(source.publishedOn)
        sha256 = source.sha256
        loadedBy = source.loadedBy
        self.rows = Int64(rows)
        heldBecause = comparison.heldBecause ?? ""
        takeCounts(of: comparison)
    }

    mutating func takeCounts(of comparison: SnapshotComparison) {
        opened = Int64(comparison.opened)
        closed = Int64(comparison.closed)
        reopened = Int64(comparison.reopened)
        changed = Int64(comparison.changed)
        missing = Int64(comparison.missing)
        unchanged = Int64(comparison.unchanged)
        pendingReferences = Int64(comparison.pendingReferences)
    }

    /// From a row of the load statements.
    init(row: any Row) throws {
        self.init()
        loadID = row.text(0)
        kind = Pcs_Host_V1_SnapshotKind(rawValue: Int(row.integer(1))) ?? .unspecified
        fileName = row.text(2)
        publishedOn = Pcs_Common_V1_Date(try row.date(4))
        sha256 = row.text(5)
        state = Pcs_Host_V1_LoadState(rawValue: Int(row.integer(6))) ?? .unspecified
        rows = row.integer(7)
        opened = row.integer(8)
        closed = row.integer(9)
        reopened = row.integer(10)
        changed = row.integer(11)
        missing = row.integer(12)
        unchanged = row.integer(13)
        pendingReferences = row.integer(14)
        heldBecause = row.text(15)
        loadedBy = row.text(16)
    }

    /// For the audit.
    var sentence: String {
        "\(fileName) sha256 \(sha256): \(state), \(rows) rows, \(opened) opened, \(closed) closed, \(reopened) reopened, "
            + "\(changed) changed, \(missing) missing, \(pendingReferences) pending references"
            + (heldBecause.isEmpty ? "" : "; held because \(heldBecause)")
    }
}
