import PluginAPI
import Tabular

/// The population upload: one row a network, for one financial year. Rules NET01 to NET04.
enum NetworkPopulationFile {
    static let columns = ["pcn_code", "registered_patients", "adjusted_patients", "weighted_patients"]

    static func read(_ bytes: [UInt8]) -> (rows: [NetworkStore.Population], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [NetworkStore.Population] = []
        let most = PatientLists.largest
        while reader.next() {
            let text = reader.cell("pcn_code")
            let code = ODSCode(text)
            if code == nil { reader.refuse("pcn_code", "NET01", "\(text.prefix(12)) is no ODS code") }
            reader.requireUnique(text, "pcn_code", "NET01")
            let registered = reader.decimal(
                "registered_patients", "NET02", scale: 0, in: 0...most, mayBeEmpty: false)
            let adjusted = reader.decimal(
                "adjusted_patients", "NET03", scale: 2, in: 0...most * 100, mayBeEmpty: false)
            let weighted = reader.decimal(
                "weighted_patients", "NET04", scale: 2, in: 0...most * 100, mayBeEmpty: false)
            guard let code, let registered, let adjusted, let weighted else { continue }
            rows.append(
                NetworkStore.Population(
                    network: code, registered: registered, adjustedHundredths: adjusted,
                    weightedHundredths: weighted))
        }
        rows.sort { $0.network < $1.network }
        return (rows, reader.violations)
    }
}
