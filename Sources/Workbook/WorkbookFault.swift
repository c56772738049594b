/// The rules that an .xlsx file must keep to be read; the name is what a violation cites.
package enum WorkbookRule: String, Sendable {
    /// The file is a sound ZIP archive, neither protected nor cut short.
    case archive = "XLSX-1"
    /// The archive is a workbook without macros, and has the parts that its first sheet needs.
    case parts = "XLSX-2"
    /// What the archive unpacks to stays within the limits.
    case limit = "XLSX-3"
    /// Its parts are well-formed XML in UTF-8, without document types.
    case xml = "XLSX-4"
    /// A cell holds a value: no error, no formula that was never calculated, no number that is none.
    case cell = "XLSX-5"
}

/// Why a workbook cannot be read any further.
struct WorkbookFault: Error {
    let rule: WorkbookRule
    let message: String
    /// Row of the sheet; 0 when the workbook as a whole is at fault.
    var row = 0

    init(_ rule: WorkbookRule, _ message: String) {
        self.rule = rule
        self.message = message
    }
}
