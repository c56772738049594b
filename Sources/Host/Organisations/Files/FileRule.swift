import Tabular

extension ViolationList {
    mutating func add(_ rule: FileRule, row: Int, column: Int = 0, field: String = "", _ message: String) {
        add(rule.rawValue, row: row, column: column, field: field, message)
    }
}

/// The rules that every uploaded register file must keep beside those of any table (`TableRules.csv`); the name is what
/// a violation cites.
enum FileRule: String {
    /// A code has the form of its kind (identity-and-organisations.md 2.4); catches typing errors only.
    case codeForm = "ODS-1"
    /// A key appears once.
    case unique = "ODS-2"
    /// A date is a real day in the layout's form.
    case realDay = "ODS-3"
    /// An end is not before its start.
    case endAfterStart = "ODS-4"
    /// A value is one of its vocabulary.
    case vocabulary = "ODS-5"
    /// A value that must be there is there.
    case required = "ODS-6"
    /// The code belongs to this system and is in no ODS file.
    case reserved = "ODS-7"
    /// One kind of file states an organisation; another kind cannot take it over.
    case ownedByOtherKind = "ODS-8"
    /// An inactive organisation has a closing day.
    case closingDay = "ODS-9"
}
