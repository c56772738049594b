/// What a file must look like to be read: its columns, who makes such files, its bounds, and the names under which
/// breaches are reported.
package struct TableLayout: Sendable {
    package enum Header: Sendable {
        /// No header; every row has this number of columns.
        case none(columns: Int)
        /// The first row names these columns, exactly and in this order.
        case exact([String])
        /// The first row names the columns, whatever they are; the caller looks at `Table.header`.
        case asGiven
    }

    /// Who makes such files decides what is let pass.
    package enum Origin: Sendable {
        /// A program's extract. Every deviation says that the file was damaged or is another one.
        case system
        /// A person with a spreadsheet. Blank rows and empty cells behind the last column (payments.md C8) are
        /// ignored, and a quoted cell may hold line breaks and tabs.
        case person
    }

    package var header: Header
    package var origin: Origin
    package var limits: TableLimits
    package var rules: TableRules

    package init(
        _ header: Header, origin: Origin, limits: TableLimits = TableLimits(), rules: TableRules = .csv
    ) {
        self.header = header
        self.origin = origin
        self.limits = limits
        self.rules = rules
    }
}

/// Bounds that are checked while a file is read, before anything is kept.
package struct TableLimits: Sendable {
    /// Size of the file. At most 2 GiB less one byte.
    package var bytes = 64 << 20
    /// Rows below the header.
    package var rows = 1_000_000
    package var columns = 1_024
    /// Cells of all rows; each takes eight bytes of memory beside its text.
    package var cells = 16 << 20
    /// Bytes of UTF-8 in one cell.
    package var cellBytes = 4_096
    package init() {}
}

/// Names of the rules of every table. An area that has published names of its own gives those.
package struct TableRules: Sendable {
    /// UTF-8, with or without byte-order mark.
    package var encoding: String
    /// Quotes as in RFC 4180: around the whole cell, doubled inside.
    package var quoting: String
    /// Every row has the number of columns of its layout. One row that has not fails the file.
    package var columnCount: String
    /// The header names the columns of the layout, in its order.
    package var header: String
    /// The file, its rows, columns and cells stay within the limits.
    package var limit: String
    /// No control characters inside a cell, and line breaks only where the layout lets them be.
    package var control: String
    /// A file has at least one row.
    package var notEmpty: String

    package init(
        encoding: String, quoting: String, columnCount: String, header: String, limit: String,
        control: String,
        notEmpty: String
    ) {
        self.encoding = encoding
        self.quoting = quoting
        self.columnCount = columnCount
        self.header = header
        self.limit = limit
        self.control = control
        self.notEmpty = notEmpty
    }

    package static let csv = TableRules(
        encoding: "CSV-1", quoting: "CSV-2", columnCount: "CSV-3", header: "CSV-4", limit: "CSV-5",
        control: "CSV-6", notEmpty: "CSV-7")
}
