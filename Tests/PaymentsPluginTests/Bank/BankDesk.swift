import CommonContract
import PaymentsContract
import PluginAPI

extension PaymentsOffice {
    /// Verifies a submitted change, as often as it needs, and authorises it.
    @discardableResult
    func authorise(
        _ change: Pcs_Payments_V1_BankDetailsChange
    ) async throws -> Pcs_Payments_V1_BankDetailsChange {
        try await authoriseDetails(try await verifyDetails(change))
    }
}

extension Pcs_Common_V1_Date {
    /// Of a text in a test, `2026-04-01`; unset when it is none.
    static func on(_ text: String) -> Pcs_Common_V1_Date {
        CalendarDate(iso8601: text).map { Pcs_Common_V1_Date($0) } ?? Pcs_Common_V1_Date()
    }
}
