import PluginAPI
import Tabular

/// Regions of the register whose practices lie in London (payments.md 6.5): reference data.
struct LondonRegions: Sendable {
    private let codes: Set<String>

    static let shipped: LondonRegions = {
        var violations = ViolationList()
        let table = Table.read(
            csv: PackageResources.london_regions_csv, layout: .upload(.exact(["region_code", "title", "source"])),
            into: &violations)
        return LondonRegions(codes: Set((0..<table.rowCount).map { table.text($0, 0) }))
    }()

    func contains(_ region: String) -> Bool { codes.contains(region) }
}
