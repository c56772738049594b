import HostContract
import PluginAPI
import Tabular

/// A practice of which neither a contract nor the register of organisations knows is a typing error.
enum KnownPractices {
    /// Refuses a file's rows about practices that nobody knows.
    ///
    /// - Parameter columns: the file's; the practice is in `practice_code`.
    static func require(
        _ practices: [ODSCode], rule: String, in file: UploadedFile, columns: [String],
        _ context: PluginContext
    ) throws {
        let contracts = try context.store.read {
            Set(try ContractStore.timelines(knownAt: .max, $0).map(\.practice))
        }
        let today = context.clock.today
        let unknown = Set(
            practices.filter {
                !contracts.contains($0) && context.organisations.organisation($0, at: today) == nil
            })
        guard !unknown.isEmpty else { return }
        var reader = RowReader(upload: file.bytes, columns: columns)
        while reader.next() {
            guard let code = ODSCode(reader.cell("practice_code")), unknown.contains(code) else { continue }
            reader.refuse(
                "practice_code", rule, "\(code) has no contract and is not in the register of organisations")
        }
        throw Failure.file(reader.violations)
    }
}
