import Foundation
import HostContract
import NIOSSL
import PluginAPI

/// A certificate for mutual TLS, as registered: its one URI name is the client's, its end is watched.
struct ClientCertificate: Sendable {
    let uri: String
    /// Last whole day of its validity.
    let lastDay: CalendarDate

    /// - Throws: `FIELD_INVALID`.
    init(pem: String, field: String, today: CalendarDate) throws {
        if pem.contains("PRIVATE KEY") {
            throw Failure.invalid(
                field, "jwk.private",
                "THIS IS A PRIVATE KEY. It is known to others now: make a new pair and a new certificate.")
        }
        guard pem.utf8.count <= 16_384,
            let certificate = try? NIOSSLCertificate(bytes: Array(pem.utf8), format: .pem)
        else { throw Failure.invalid(field, "certificate.form", "One certificate in PEM is required.") }
        guard let uri = certificate.onlyURIName else {
            throw Failure.invalid(
                field, "certificate.uri",
                "The certificate must have exactly one URI among its alternative names.")
        }
        self.uri = uri
        let seconds = Int64(certificate.notValidAfter)
        let end = Instant(microsecondsSince1970: seconds * 1_000_000)
        lastDay = LondonTime.day(at: end).adding(days: -1)
        guard lastDay >= today else {
            throw Failure.invalid(field, "certificate.expired", "The certificate has expired, or does today.")
        }
    }
}
