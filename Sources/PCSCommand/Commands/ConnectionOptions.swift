package import ArgumentParser

/// How results are printed.
package enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable { case table, json }

/// Which host, as whom, for how long: the options of every command that calls a host. Each has a variable, which the
/// option overrides.
package struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Address: unix:/path, tcp:host:port or tls:host:port. PCS_HOST. Default: the data folder's socket.",
            valueName: "address"))
    package var host: String?

    @Option(
        help: ArgumentHelp(
            "Data folder of the local host. PCS_DATA_FOLDER. Default: data.", valueName: "folder"))
    package var data: String?

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp(
            "Person or system to call as, with the private key of the key folder. PCS_AS. Default: the local operator.",
            valueName: "subject"))
    package var subject: String?

    @Option(
        help: ArgumentHelp(
            "Session of `pcs user login` to call with. PCS_SESSION. Default: the one without a name, if any.",
            valueName: "name"))
    package var session: String?

    @Option(
        help: ArgumentHelp(
            "Folder of private keys. PCS_KEYS. Default: keys in the data folder, or ~/.config/pcs/keys.",
            valueName: "folder"))
    package var keys: String?

    @Option(
        help: ArgumentHelp(
            "Name of the host in signed assertions. PCS_AUDIENCE. Default: pcs.", valueName: "name"))
    package var audience: String?

    @Option(help: ArgumentHelp("Organisation to act for. PCS_ACTING_FOR.", valueName: "ods code"))
    package var actingFor: String?

    @Option(
        help: ArgumentHelp(
            "Give up after this many seconds. Default: the method's own limit.", valueName: "seconds"))
    package var timeout: Double?

    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp(
            "table for people, json for programs. PCS_OUTPUT. Default: table.", valueName: "format"))
    package var output: OutputFormat?

    @Option(
        help: ArgumentHelp(
            "PEM of the authorities to trust, with tls:. PCS_AUTHORITY. Default: those of the system.",
            valueName: "file"))
    package var authority: String?

    @Option(help: ArgumentHelp("PEM of the certificate to show, with tls:.", valueName: "file"))
    package var certificate: String?

    @Option(help: ArgumentHelp("PEM of the certificate's private key.", valueName: "file"))
    package var certificateKey: String?

    package init() {}

    package func validate() throws {
        if let timeout, !(0.001...86_400).contains(timeout) {
            throw ValidationError("--timeout is 0.001 to 86400 seconds.")
        }
        if (certificate == nil) != (certificateKey == nil) {
            throw ValidationError("--certificate and --certificate-key go together.")
        }
    }
}
