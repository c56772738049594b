/// The reference data files that come with the plugin.
enum ShippedFiles {
    static var services: [UInt8] { PackageResources.services_csv }
    static var indicators: [UInt8] { PackageResources.indicators_csv }
    static var tariffs: [UInt8] { PackageResources.tariffs_csv }
    static var constants: [UInt8] { PackageResources.constants_csv }
    static var adjustments: [UInt8] { PackageResources.adjustments_csv }
}
