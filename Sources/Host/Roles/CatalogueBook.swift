package import PluginAPI
import Synchronization

/// The catalogue in effect: the shipped one, until an approved version takes its place on its day.
package final class CatalogueBook: Sendable {
    /// An approved version and its first day.
    struct Version: Sendable {
        let id: String
        let from: CalendarDate
        let catalogue: RoleCatalogue
    }

    private let versions: Mutex<[Version]>

    init() {
        do {
            let shipped = try RoleCatalogueFile.shipped.catalogue()
            versions = Mutex([Version(id: "shipped", from: .unboundedStart, catalogue: shipped)])
        } catch {
            // Tests read the shipped files; a program that got past them has them whole.
            preconditionFailure("the shipped catalogue of roles does not read: \(error)")
        }
    }

    /// The catalogue that holds on a day. Of two versions from the same day the later one counts.
    package func current(on day: CalendarDate) -> RoleCatalogue {
        version(on: day).catalogue
    }

    func version(on day: CalendarDate) -> Version {
        versions.withLock { versions in versions.last { $0.from <= day } ?? versions[0] }
    }

    /// - Parameter approved: all approved versions by first day, oldest first.
    func replace(approved: [Version]) {
        versions.withLock { versions in versions = [versions[0]] + approved }
    }
}
